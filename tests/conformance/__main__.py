"""`python -m tests.conformance` writes docs/dialects.md; `--show` prints what is missing or wrong instead."""

from __future__ import annotations

import sys
import tempfile

from tests.conformance import document, facts

from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.store.migrate import migrate


def measured() -> dict[str, dict[str, facts.Fact]]:
    """The facts of all recordings."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"chdb://{folder}/store")
        in_worker(lambda: migrate(store))
        found = facts.everything(store)
        in_worker(store.close)
    return {name: told for name, (told, _) in found.items()}


if __name__ == "__main__":
    result = measured()
    if "--show" in sys.argv:
        for name, found in result.items():
            print(name)
            for fact, n in found.items():
                if n.shown < n.expected or n.wrong:
                    print(
                        f"    {fact}: {n.shown} of {n.expected}, {n.wrong} wrong; missing {n.missing[:3]}; invented {n.invented[:3]}"
                    )
    else:
        document.PATH.write_text(document.text(result))
        print(f"wrote {document.PATH.name}")
