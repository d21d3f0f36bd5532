"""`marketplace demo`: everything at once, from nothing, with bots that bid live."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from argparse import ArgumentParser, Namespace
from pathlib import Path

import msgspec

from auctions.live.rest_client import ApiProblem
from auctions.rules.formats import DEFAULT
from marketplace.kernel import logs
from marketplace.kernel.db import Database
from marketplace.kernel.settings import Settings
from web.commands.serve import port_number
from web.console import CommandFailed, say
from web.demo import partners
from web.demo.cast import assemble
from web.demo.figures import FIGURES
from web.demo.show import perform, who_is_who
from web.installation import installation, is_external
from web.serve import bind
from web.supervisor import Supervisor

DATA = Path("var/demo")
_MARK = "this-is-a-demo"


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=port_number, default=8000, help="port, 0 for any free one (%(default)s)"
    )
    parser.add_argument(
        "--format",
        choices=sorted(FIGURES),
        default=DEFAULT.name,
        help="kind of auction (%(default)s)",
    )
    parser.add_argument("--no-bots", action="store_true", help="nobody bids but you")
    parser.add_argument(
        "--data", type=Path, default=DATA, metavar="DIR",
        help="folder of the demo, emptied at each start (%(default)s)",
    )  # fmt: skip


def run(args: Namespace) -> int:
    if is_external():
        raise CommandFailed(
            "The demo makes its own servers: unset MARKETPLACE_DATABASE_URL and _REDIS_URL."
        )
    bound = bind("127.0.0.1", args.port)
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    _empty(args.data)
    say("Starting PostgreSQL, Valkey and the marketplace …")
    with bound, installation(args.data, default_public_url=address) as settings:
        return asyncio.run(_run(args, settings, address))


def _empty(data: Path) -> None:
    """A demo begins anew; a folder that is not a demo's is left alone."""
    if data.exists() and any(data.iterdir()):
        if not (data / _MARK).exists():
            raise CommandFailed(f"{data} holds something that is not a demo; name another --data.")
        foreign = data / "postgres-at"
        if foreign.is_symlink():
            shutil.rmtree(foreign.resolve(), ignore_errors=True)
        shutil.rmtree(data)
    data.mkdir(parents=True, exist_ok=True)
    (data / _MARK).touch()


async def _run(args: Namespace, settings: Settings, address: str) -> int:
    # A person reads along: what the nodes do well goes without saying.
    settings = msgspec.structs.replace(settings, log_format="console", log_level="warning")
    logs.configure(settings.log_format, settings.log_level)
    ready = asyncio.Event()
    failures: list[Exception] = []
    showing = asyncio.create_task(_show(args, settings, address, ready, failures))
    port = address.rpartition(":")[2]
    try:
        await Supervisor(settings).run(
            [["serve", "--port", port, "--supervised"]], [["worker", "--supervised"]], ready.set
        )
    finally:
        showing.cancel()
        await asyncio.wait([showing])
    if failures:
        raise CommandFailed(f"The demo stopped: {failures[0]}")
    return 0


async def _show(
    args: Namespace,
    settings: Settings,
    address: str,
    ready: asyncio.Event,
    failures: list[Exception],
) -> None:
    await ready.wait()
    database = Database(settings.database_url, pool_size=1)
    try:
        say("Registering a buyer and fourteen suppliers …")
        cast = await assemble(address, database)
        say("Agreeing with partners, selling, paying …")
        programme = await partners.found(address, database, cast)
        await partners.earn(programme, cast.buyer)
        for line in who_is_who(address, cast):
            say(line)
        await perform(address, cast, args.format, say, bots=not args.no_bots)
    except (ApiProblem, OSError, ExceptionGroup) as error:
        failures.append(error)
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        await database.close()
