"""`python -m tests.conformance` writes docs/dialects.md; `--show` prints what is missing or wrong instead."""

from __future__ import annotations

import sys
import tempfile

from tests.conformance import document, facts

from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.store.migrate import migrate


def measured(names: list[str]) -> dict[str, dict[str, facts.Fact]]:
    """The facts of recordings, each alone in a store of its own process."""

    def act() -> dict[str, dict[str, facts.Fact]]:
        with tempfile.TemporaryDirectory() as folder:
            store = Store(f"chdb://{folder}/store")
            migrate(store)
            found = {}
            for name in names:
                facts.load(store, name)
                found[name] = facts.measure(store, name)
            store.close()
            return found

    return in_worker(act)


if __name__ == "__main__":
    chosen = [a for a in sys.argv[1:] if not a.startswith("-")] or facts.NAMES
    result = measured(chosen)
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
