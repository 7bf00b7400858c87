"""`make fuzz`: many changed inputs through every target; an input that breaks one is kept and named.

`python -m tests.fuzz --target json --inputs 1000000 --seed 7`
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz.mutate import mutations
from tests.fuzz.targets import TARGETS, Target

_FINDS = Path("test-artifacts/fuzz")


def run(target: Target, inputs: int, seed: int) -> int:
    """How many inputs broke the target; each is kept as a file."""
    began, broken = time.monotonic(), 0
    changed = mutations(target.seeds(), seed)
    for number in range(inputs):
        data = next(changed)
        try:
            target.check(data)
        except Exception as error:  # whatever it is, it is a find
            broken += 1
            _FINDS.mkdir(parents=True, exist_ok=True)
            path = _FINDS / f"{target.name}-{seed}-{number}.bin"
            path.write_bytes(data)
            print(f"{target.name}: {path}: {type(error).__name__}: {str(error)[:200]}", flush=True)
            if broken >= 20:
                break
    target.close()
    print(f"{target.name}: {number + 1:,} inputs, {broken} broken, {time.monotonic() - began:.0f} s", flush=True)
    return broken


def main() -> None:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--target", choices=sorted(TARGETS), action="append", help="only this one (all)")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sys.exit(sum(run(TARGETS[name], options.inputs, options.seed) for name in options.target or TARGETS) > 0)


if __name__ == "__main__":
    main()
