"""`make bench`: every bar in a process of its own, one after the other."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

OWN = {"__init__", "__main__", "children", "crowd", "harness"}


def bars() -> list[str]:
    """The names of all benchmark files."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in OWN)


def run(names: list[str]) -> int:
    """The number of bars that failed to run; their figures go to standard output."""
    failed = 0
    for name in names:
        print(f"== {name}", flush=True)
        begun = time.perf_counter()
        failed += subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode != 0
        print(f"   ({time.perf_counter() - begun:.0f} s)", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="marketplace bench", description=__doc__)
    parser.add_argument("bars", nargs="*", metavar="BAR", help=f"of {', '.join(bars())}; all")
    args = parser.parse_args()
    unknown = set(args.bars) - set(bars())
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return 1 if run(args.bars or bars()) else 0


if __name__ == "__main__":
    sys.exit(main())
