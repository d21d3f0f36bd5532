"""`marketplace migrate`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from web.console import say
from web.installation import installation, migrate_now


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the embedded servers (default ./var)"
    )


def run(args: Namespace) -> int:
    with installation(args.data) as settings:
        migrate_now(settings.database_url)
    say("The database has the newest schema.")
    return 0
