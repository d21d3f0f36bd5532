"""A migrated PostgreSQL for the topologies of Redis, so that each need not start its own."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from marketplace.kernel import embedded
from marketplace.kernel.settings import Settings
from marketplace.migrations.run import migrate


def settings_of(database_url: str, redis_url: str, folder: Path) -> Settings:
    """Of a node on these servers."""
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret="a secret of the tests",
        data_dir=folder,
    )


@pytest.fixture(scope="package")
async def database_url() -> AsyncIterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="marketplace-topology-") as folder,
        embedded.start(Path(folder), postgres_options=("fsync=off",)) as servers,
    ):
        await migrate(servers.database_url)
        yield servers.database_url
