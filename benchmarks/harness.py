"""What all benchmarks share: real servers in a temporary folder, quantiles, memory, one way to
print.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import msgspec
import psutil

from marketplace.kernel.embedded import Servers, start
from marketplace.migrations.run import migrate

WAL_FILES = 5
"""As many as PostgreSQL keeps for later by default (`min_wal_size`)."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured figure; `ratio` is to the raw limit named in `limit`."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    limit: str = ""
    note: str = ""


@contextmanager
def servers() -> Iterator[Servers]:
    """Both servers with a migrated database, fsync on, thrown away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="marketplace-bench-"))
    folder.chmod(0o711)
    running = start(folder)
    try:
        asyncio.run(migrate(running.database_url))
        asyncio.run(lived_in(running.database_url))
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def lived_in(database_url: str) -> None:
    """A server that has run for a while writes its log into files it has had before; a new one
    makes and zeroes 16 MB now and then, and every commit waits for that.
    """
    connection = await asyncpg.connect(database_url)
    for _ in range(WAL_FILES):
        await connection.execute("SELECT txid_current(), pg_switch_wal()")
    await connection.execute("CHECKPOINT")
    await connection.close()


def quantile_ms(seconds: Sequence[float], share: float) -> float:
    """The `share` quantile in ms, nearest rank; 0 for nothing measured."""
    if not seconds:
        return 0.0
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3


def memory_mib(pid: int | None = None) -> float:
    """Resident memory of a process in MiB."""
    rss: int = psutil.Process(pid).memory_info().rss
    return rss / 2**20


class Stolen:
    """How much of the cores the machine below gave to others since this was made: no program's
    fault, and the cause of many a missed bar on a shared machine.
    """

    def __init__(self) -> None:
        self._stolen, self._at = _stolen_s(), time.perf_counter()

    def __str__(self) -> str:
        cores = (_stolen_s() - self._stolen) / (time.perf_counter() - self._at)
        return f"{cores:.2f} cores stolen"


def _stolen_s() -> float:
    """Of all cores since the machine's start; only Linux knows."""
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


async def closed_loop(
    work: Callable[[int], Awaitable[object]], *, workers: int, seconds: float
) -> tuple[float, list[float]]:
    """`workers` callers, each calling again as soon as it was answered: (calls per second,
    latencies in s).
    """
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def caller(number: int) -> None:
        while (begun := time.perf_counter()) < end:
            await work(number)
            latencies.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(workers)))
    return len(latencies) / (time.perf_counter() - begun), latencies


async def open_loop(
    work: Callable[[int], Awaitable[object]], *, per_second: float, seconds: float
) -> list[float]:
    """Calls at fixed times whatever the answers do, each latency from its due time (no coordinated
    omission).
    """
    latencies: list[float] = []
    tasks: set[asyncio.Task[None]] = set()

    async def call(number: int, due: float) -> None:
        await work(number)
        latencies.append(time.perf_counter() - due)

    begun = time.perf_counter()
    for number in range(int(per_second * seconds)):
        due = begun + number / per_second
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)  # pacing is the point here
        task = asyncio.create_task(call(number, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return latencies


def show(figures: Sequence[Figure]) -> None:
    """A table on standard output."""
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:6.2f} of {figure.limit}"
        row = f"{figure.name:<58} {figure.value:>12,.1f} {figure.unit:<8} {ratio} {figure.note}"
        print(row.rstrip())
    sys.stdout.flush()
