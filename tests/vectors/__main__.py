"""`python -m tests.vectors FILE…`: run every case of each file.

Prints a line beginning with FAIL for each case that fails and `NAME: passed n of m` for each file.
Exits 0 when all pass, 1 when one fails or a file cannot be read as cases, 2 for wrong usage.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import structlog

from tests.servers import Place, TestServers
from tests.vectors.cases import failure, kind_of, load, module_of, title_of
from tests.vectors.world import World


class _Servers:
    """Started by the first case that needs them; most kinds are pure functions."""

    def __init__(self) -> None:
        self._started: TestServers | None = None
        self._place: Place | None = None

    def place(self) -> Place:
        if self._place is None:
            self._started = TestServers()
            self._place = self._started.place("vectors", 1)
        return self._place

    def stop(self) -> None:
        if self._started is not None:
            self._started.stop()


def main(arguments: list[str]) -> int:
    if not arguments or any(argument.startswith("-") for argument in arguments):
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    servers = _Servers()
    world = World(servers.place)
    try:
        return max([_run(Path(argument), world) for argument in arguments])
    finally:
        servers.stop()


def _run(file: Path, world: World) -> int:
    try:
        module = module_of(kind_of(file))
        cases = load(file, world)
    except (LookupError, OSError, TypeError, ValueError) as error:
        print(f"FAIL {file}: {error}")
        return 1
    failed = 0
    for case in cases:
        # An event loop for each case: nothing that one leaves open reaches the next.
        reason = asyncio.run(failure(module, case))
        if reason is not None:
            failed += 1
            print(f"FAIL {title_of(file)} {case.name}: {reason}")
    print(f"{title_of(file)}: passed {len(cases) - failed} of {len(cases)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
