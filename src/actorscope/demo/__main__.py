"""`python -m actorscope.demo` plays the demo fleet."""

import sys

from actorscope.demo.command import main

sys.exit(main())
