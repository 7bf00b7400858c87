"""`python -m actorscope` is the `actorscope` command."""

from actorscope.cli import main

main()
