"""Which servers a command works on: the configured ones, those of a running `serve`, or its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import msgspec

from marketplace.kernel import embedded
from marketplace.kernel.database_url import parse
from marketplace.kernel.outages import first_line, is_of_a_server
from marketplace.kernel.settings import Settings, external_urls, read_settings
from marketplace.migrations.run import migrate
from web.console import CommandFailed

DEFAULT_DATA = Path("var")
_RUNNING = "running.json"


class Addresses(msgspec.Struct, frozen=True):
    database_url: str
    redis_url: str


@contextlib.contextmanager
def installation(
    data_dir: Path | None, *, default_public_url: str = "http://127.0.0.1:8000"
) -> Iterator[Settings]:
    """Settings of servers that answer, as long as the block runs.

    Without MARKETPLACE_DATABASE_URL and MARKETPLACE_REDIS_URL they are the embedded ones in
    `data_dir`: those of a marketplace that runs there, else started here, migrated, and stopped at
    the end. Raises SettingsError, EmbeddedError, CommandFailed.
    """
    if external_urls() is not None:
        yield read_settings(data_dir=data_dir, default_public_url=default_public_url)
        return
    data = data_dir or DEFAULT_DATA
    with contextlib.ExitStack() as stack:
        addresses = _running(data)
        if addresses is None:
            servers = stack.enter_context(embedded.start(data))
            addresses = Addresses(servers.database_url, servers.redis_url)
            migrate_now(addresses.database_url)
            _remember(data / _RUNNING, addresses)
            stack.callback((data / _RUNNING).unlink, missing_ok=True)
        yield read_settings(
            database_url=addresses.database_url,
            redis_url=addresses.redis_url,
            data_dir=data,
            default_public_url=default_public_url,
        )


def migrate_now(database_url: str) -> None:
    """Raises CommandFailed with one line."""
    try:
        asyncio.run(migrate(database_url))
    except Exception as error:
        if not is_of_a_server(error):
            raise
        raise CommandFailed(f"The database cannot be migrated: {first_line(error)}") from error


def is_running(data: Path) -> bool:
    """Whether a marketplace with embedded servers runs in `data` at this moment."""
    return _running(data) is not None


def is_external() -> bool:
    """Whether the servers are configured rather than embedded. Raises SettingsError."""
    return external_urls() is not None


def _running(data: Path) -> Addresses | None:
    """Servers another process keeps in `data` at this moment; a stale note is no answer."""
    path = data / _RUNNING
    if not path.exists():
        return None
    addresses = msgspec.json.decode(path.read_bytes(), type=Addresses)
    return addresses if asyncio.run(_answers(addresses.database_url)) else None


async def _answers(database_url: str) -> bool:
    try:
        connection = await parse(database_url).connect(timeout=2)
    except (OSError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


def _remember(path: Path, addresses: Addresses) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(addresses))
