"""`marketplace rotate-secret`: seal everything by a new master secret."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace
from pathlib import Path

import msgspec

from marketplace.kernel import secret_file
from marketplace.kernel.db import Database
from marketplace.kernel.secret import Secret, is_right
from marketplace.kernel.settings import Settings
from web.console import CommandFailed, say
from web.installation import DEFAULT_DATA, installation, is_external, is_running
from web.rotation import Rotated, rotate


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the embedded servers (default ./var)"
    )


def run(args: Namespace) -> int:
    return _configured(args) if is_external() else _own(args.data or DEFAULT_DATA)


def _configured(args: Namespace) -> int:
    """MARKETPLACE_SECRET is the new one, MARKETPLACE_SECRET_OTHER the former one."""
    with installation(args.data) as settings:
        if not getattr(settings.secret, "others", ()):
            raise CommandFailed(
                "Set MARKETPLACE_SECRET to the new secret and MARKETPLACE_SECRET_OTHER to the "
                "former one; docs/security.md has the steps."
            )
        _tell(asyncio.run(_rotate(settings)))
    say("Now take MARKETPLACE_SECRET_OTHER away and restart the nodes and workers in turn.")
    return 0


def _own(data: Path) -> int:
    """Embedded servers: the new secret is made here and replaces the file beside `data`."""
    if is_running(data):
        raise CommandFailed(f"A marketplace runs in {data}; stop it first.")
    current, following = secret_file.path_of(data), secret_file.next_path_of(data)
    if not current.exists() and not (data / "secret").exists():
        raise CommandFailed(f"There is no secret at {current}: is MARKETPLACE_SECRET set for it?")
    with installation(data) as settings:
        # An earlier call that was interrupted has left it: the same one is used again.
        new = secret_file.make(following)
        secret = Secret(new, settings.secret)
        done = asyncio.run(_rotate(msgspec.structs.replace(settings, secret=secret)))
    following.replace(current)
    _tell(done)
    say(f"The new secret is in {current}.")
    return 0


async def _rotate(settings: Settings) -> Rotated:
    database = Database(settings.database_url, pool_size=2)
    try:
        pool = await database.pool()
        async with pool.acquire() as connection:
            if not await is_right(connection, settings.secret):
                raise CommandFailed(
                    "Neither secret is the one this database was set up with; nothing was changed."
                )
        return await rotate(database, settings.secret)
    finally:
        await database.close()


def _tell(done: Rotated) -> None:
    say(f"{done.resealed} sealed texts carry the new secret.")
    if done.lost:
        say(f"{done.lost} could be opened by neither secret and were left as they are.")
