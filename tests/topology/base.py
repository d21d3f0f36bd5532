"""What all topologies have in common."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from marketplace.kernel.embedded.server import Server
from marketplace.kernel.embedded.servers import postgres_server
from tests.topology.processes import start_all, stop_all


class Topology(Protocol):
    """What a test needs of any of them; see the package for how they differ."""

    database_url: str
    redis_url: str

    @property
    def servers(self) -> Sequence[Server]: ...

    @property
    def postgres(self) -> Sequence[Server]: ...

    async def healed(self) -> None:
        """Wait until all servers, started again by the caller, are in step."""


# After a crash PostgreSQL syncs each of its 1500 files, which takes seconds where others use the
# disk too.
_SYNC = ("recovery_init_sync_method=syncfs",) if sys.platform == "linux" else ()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder for all files of a topology that PostgreSQL's user can enter, short enough for the
    names of sockets.
    """
    path = Path(tempfile.mkdtemp(prefix="mpt-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def postgres(place: Path, name: str, options: Sequence[str]) -> Server:
    """A PostgreSQL that is not started yet; its data are in `place / name`."""
    options = (*_SYNC, *options)
    return postgres_server(place / name, place / f"{name}-s", place / f"{name}.log", options)


def url_of(*places: Path) -> str:
    """Of servers made by `postgres`, given by the folders of their sockets."""
    hosts = ",".join(str(place) for place in places)
    more = "&target_session_attrs=read-write" if len(places) > 1 else ""
    return f"postgresql://postgres@/postgres?host={hosts}{more}"


@contextlib.asynccontextmanager
async def database(
    place: Path, given: str | None, options: Sequence[str]
) -> AsyncIterator[tuple[str, list[Server]]]:
    """The URL of a PostgreSQL and its process; of the `given` one there is no process."""
    if given is not None:
        yield given, []
        return
    server = postgres(place, "postgres", options)
    await start_all([server])
    try:
        yield url_of(place / "postgres-s"), [server]
    finally:
        await stop_all([server])
