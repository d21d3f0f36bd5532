"""`marketplace worker`."""

from __future__ import annotations

import asyncio
from argparse import SUPPRESS, ArgumentParser, Namespace
from pathlib import Path

from web.installation import installation


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the embedded servers (default ./var)"
    )
    parser.add_argument(
        "--alive", type=Path, metavar="FILE", help="file to touch every 2 s, for a health check"
    )
    parser.add_argument("--supervised", action="store_true", help=SUPPRESS)


def run(args: Namespace) -> int:
    from web.worker import work  # noqa: PLC0415  # seconds, which `--help` need not wait

    with installation(args.data) as settings:
        asyncio.run(work(settings, supervised=args.supervised, alive=args.alive))
    return 0
