"""`marketplace`: one command line. A command is a module with `arguments(parser)` and
`run(args) -> exit code`; it is imported only when it is the one that was asked for.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from marketplace.kernel.embedded import EmbeddedError
from marketplace.kernel.errors import Problem
from marketplace.kernel.settings import SettingsError
from web.console import CommandFailed

COMMANDS = {
    "demo": ("web.commands.demo", "a live auction with bots, from nothing"),
    "serve": ("web.commands.serve", "run the marketplace"),
    "worker": ("web.commands.worker", "run what happens by the clock"),
    "migrate": ("web.commands.migrate", "bring the database to the newest schema"),
    "verify": ("web.commands.verify", "check a transcript offline"),
    "simulate": ("web.commands.simulate", "play a past auction under other rules"),
    "bench": ("web.commands.bench", "measure speed against the raw limits"),
    "import": ("web.commands.import_", "upload prices, or load published code lists"),
    "rotate-secret": ("web.commands.rotate_secret", "seal everything by a new master secret"),
    "operator": ("web.commands.operator", "make the operator of an empty installation"),
}
"""Name → where it lives and one line of help. Add a command by adding its module and this line."""

_FAILURES = (CommandFailed, SettingsError, EmbeddedError, Problem, OSError)


def main(argv: Sequence[str] | None = None) -> int:
    """0 when it worked, 1 when it failed (one line says why), 2 for wrong usage."""
    given = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="marketplace", description="A supplier marketplace with live reverse auctions."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    wanted = next((word for word in given if not word.startswith("-")), None)
    for name, (path, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if name == wanted:
            module = importlib.import_module(path)
            module.arguments(command)
            command.set_defaults(run=module.run)
    args = parser.parse_args(given)
    try:
        return int(args.run(args))
    except KeyboardInterrupt:
        return 1
    except _FAILURES as error:
        return _failed(str(error) or type(error).__name__)
    except Exception as error:
        from marketplace.kernel import outages  # noqa: PLC0415  # only a failure needs the drivers

        if not outages.is_of_a_server(error):
            raise
        return _failed(outages.first_line(error))


def _failed(reason: str) -> int:
    sys.stderr.write(f"marketplace: {' '.join(reason.split())}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
