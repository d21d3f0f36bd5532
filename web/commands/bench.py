"""`marketplace bench`: speed as a ratio to the raw limit measured in the same run."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from web.console import CommandFailed


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("bars", nargs="*", metavar="BAR", help="which ones (all)")


def run(args: Namespace) -> int:
    from benchmarks.__main__ import bars, run  # noqa: PLC0415  # they need the development tools

    unknown = set(args.bars) - set(bars())
    if unknown:
        raise CommandFailed(f"There is no {', '.join(sorted(unknown))}, only {', '.join(bars())}")
    return 1 if run(args.bars or bars()) else 0
