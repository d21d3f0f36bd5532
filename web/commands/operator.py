"""`marketplace operator`: the first login of an empty installation."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from marketplace.accounts.passwords import Passwords
from marketplace.accounts.schemas import NewUser
from marketplace.accounts.service import make_operator
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.settings import Settings
from web.console import CommandFailed, say
from web.installation import installation

PASSWORD_LINE_MAX = 1_024


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--name", required=True, help="name of the organisation and its first user")
    parser.add_argument("--email", required=True, help="address to log in with")
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        required=True,
        help="read the password from the first line of standard input",
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the embedded servers (default ./var)"
    )


def run(args: Namespace) -> int:
    password = sys.stdin.readline(PASSWORD_LINE_MAX).rstrip("\r\n")
    if not password:
        raise CommandFailed("No password came on standard input.")
    user = NewUser(name=args.name, email=args.email, password=password)
    with installation(args.data) as settings:
        organisation_id = asyncio.run(_make(settings, args.name, user))
    say(f"Operator {args.name} is ready: organisation {organisation_id}, log in as {args.email}")
    return 0


async def _make(settings: Settings, name: str, user: NewUser) -> str:
    database = Database(settings.database_url, pool_size=1)
    try:
        async with database.transaction(SYSTEM) as session:
            made = await make_operator(session, Clock(), Passwords(), name, user)
    finally:
        await database.close()
    return str(made.organisation.id)
