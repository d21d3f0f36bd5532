"""`marketplace serve`: one node in this process, or several and a worker with embedded servers."""

from __future__ import annotations

import asyncio
import socket
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

import uvloop

from marketplace.kernel import logs
from marketplace.kernel.settings import Settings
from web.console import say
from web.installation import installation, is_external
from web.serve import bind, run_node
from web.supervisor import Supervisor

NODES_MAX = 64


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=port_number, default=8000, help="port, 0 for any free one (%(default)s)"
    )
    parser.add_argument(
        "--nodes", type=_nodes, default=1, help="node processes that share the port (%(default)s)"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the embedded servers (default ./var)"
    )
    parser.add_argument("--supervised", action="store_true", help=SUPPRESS)


def run(args: Namespace) -> int:
    bound = bind(args.host, args.port)
    address = _address(args.host, bound.getsockname()[1])
    alone = is_external() and args.nodes == 1
    with bound, installation(args.data, default_public_url=address) as settings:
        if alone:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(
                    run_node(
                        settings,
                        bound,
                        supervised=args.supervised,
                        ready=lambda: say(f"Marketplace is ready at {address}"),
                    )
                )
        else:
            asyncio.run(_supervise(args, settings, bound, address))
    return 0


async def _supervise(
    args: Namespace, settings: Settings, bound: socket.socket, address: str
) -> None:
    logs.configure(settings.log_format, settings.log_level)
    port = str(bound.getsockname()[1])
    node = ["serve", "--host", args.host, "--port", port, "--supervised"]
    worker = [] if is_external() else [["worker", "--supervised"]]
    # `bound` never listens: it only keeps the port ours while nodes come and go.
    await Supervisor(settings).run(
        [node] * args.nodes, worker, lambda: say(f"Marketplace is ready at {address}")
    )


def _address(host: str, port: int) -> str:
    name = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104  # for people to open
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def port_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _nodes(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= NODES_MAX:
        raise ArgumentTypeError(f"a number from 1 to {NODES_MAX}")
    return int(text)
