"""`marketplace simulate FILE --rules FILE`: the same bids under other rules. Needs no server."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from auctions.book.transcript import FULL, LINE_BYTES_MAX, Header, Line, decode
from auctions.book.verify import Verifier, WrongLine
from auctions.rules.core import commands
from auctions.rules.core.commands import Command
from auctions.rules.core.parameters import Terms
from auctions.rules.simulate import Comparison, Played, replay_under
from auctions.rules.terms.read import read_terms
from auctions.rules.terms.show import rules_of
from marketplace.kernel.clock import rfc3339
from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import format_minor
from web.console import CommandFailed
from web.curves import Curve, draw

COMMANDS_MAX = 2_000_000
COMMON = (
    "scoring", "ties", "tie_rank", "visibility", "typo_guard_percent", "min_rating",
)  # fmt: skip
"""What every format has."""


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="a full transcript, as the buyer downloads it")
    parser.add_argument(
        "--rules", type=Path, required=True, metavar="FILE",
        help="the rules that differ as JSON, in the form of a lot's `rules`; "
        "`ceiling` may stand beside them as decimal text",
    )  # fmt: skip


def run(args: Namespace) -> int:
    terms, log = _read(args.file)
    other = _rules(args.rules, terms)
    comparison = replay_under(log, terms, other)
    console = Console()
    console.print(_table(comparison, terms, other))
    before = Curve("as it was", _points(comparison.before, terms))
    after = Curve("under the other rules", _points(comparison.after, terms))
    best = "Best evaluated price" if _is_scored(comparison) else "Best price"
    console.print(f"{best} over time, {terms.currency}")
    for line in draw([before, after]):
        console.print(line, highlight=False)
    return 0


def _read(path: Path) -> tuple[Terms, list[Command]]:
    """Terms and commands of a transcript that is in order. Raises CommandFailed."""
    verifier, log = Verifier(), list[Command]()
    terms: Terms | None = None
    try:
        with path.open("rb") as file:
            while raw := file.readline(LINE_BYTES_MAX + 1):
                verifier.take(raw)
                line = decode(raw)
                if isinstance(line, Header):
                    if line.audience != FULL:
                        raise CommandFailed(f"{path} shows only what {line.audience} may see.")
                    terms = msgspec.json.decode(bytes(line.terms), type=Terms)
                elif isinstance(line, Line):
                    assert line.ts is not None, "a full transcript shows all"
                    assert isinstance(line.body, msgspec.Raw), "a full transcript shows all"
                    log.append(Command(line.seq, line.ts, commands.decode(bytes(line.body))))
                    if len(log) > COMMANDS_MAX:
                        raise CommandFailed(f"At most {COMMANDS_MAX} commands can be simulated.")
        verifier.verdict()
    except WrongLine as wrong:
        raise CommandFailed(f"{path} is not in order, {wrong}") from None
    assert terms is not None, "the verifier wants a header"
    return terms, log


def _rules(path: Path, terms: Terms) -> Terms:
    try:
        given: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise CommandFailed(f"{path} is no JSON object: {error}") from None
    ceiling = given.pop("ceiling", None)
    if ceiling is None and terms.ceiling_minor is not None:
        ceiling = format_minor(terms.ceiling_minor, terms.exponent)
    given = _base(terms, given.get("format", terms.format)) | given
    # The start is that of the log whatever the file says.
    given["starts_at"] = rfc3339(terms.starts_at_us)
    try:
        return read_terms(given, auction=terms.auction, currency=terms.currency, ceiling=ceiling)
    except Invalid as invalid:
        wrong = "; ".join(f"{error.field}: {error.message}" for error in invalid.errors)
        raise CommandFailed(f"{path}: {wrong}") from None


def _base(terms: Terms, format_: object) -> dict[str, Any]:
    """What the file does not say stays as it was, as far as the other format knows it."""
    rules = rules_of(terms)
    return rules if format_ == terms.format else {k: rules[k] for k in COMMON if k in rules}


def _table(comparison: Comparison, terms: Terms, other: Terms) -> Table:
    table = Table(title="The same bids under other rules")
    table.add_column("")
    table.add_column(f"as it was ({terms.format})", justify="right")
    table.add_column(f"other rules ({other.format})", justify="right")
    before, after = comparison.before, comparison.after
    table.add_row("winner", before.winner or "nobody", after.winner or "nobody")
    scored = _is_scored(comparison)
    for rank in range(4):
        title = f"rank {rank + 1}" if rank else "best evaluated price" if scored else "best price"
        cells = (_place(played, rank, terms, scored=scored) for played in (before, after))
        table.add_row(title, *cells)
    table.add_row("bidders ranked", str(len(before.standing)), str(len(after.standing)))
    table.add_row("close", rfc3339(before.close_at), rfc3339(after.close_at))
    table.add_row("extensions", str(before.extensions), str(after.extensions))
    table.add_row("bids accepted", str(before.accepted), str(after.accepted))
    for code in sorted({*before.refused, *after.refused}):
        counts = (str(played.refused.get(code, 0)) for played in (before, after))
        table.add_row(f"refused: {code}", *counts)
    return table


def _is_scored(comparison: Comparison) -> bool:
    """Whether a coefficient, a cost or a bonus makes an evaluated price differ from its price."""
    places = [*comparison.before.standing, *comparison.after.standing]
    return any(place.evaluated != str(place.price) for place in places)


def _place(played: Played, index: int, terms: Terms, *, scored: bool) -> str:
    """What decides the rank comes first: the evaluated price, with the price behind it."""
    if index >= len(played.standing):
        return "—"
    place = played.standing[index]
    price = format_minor(place.price, terms.exponent)
    if scored:
        price = f"{format_minor(place.evaluated_minor, terms.exponent)} (price {price})"
    return f"{price} {place.bidder}" if index else price


def _points(played: Played, terms: Terms) -> list[tuple[float, float]]:
    """Seconds from the start and price in major units, held until the close."""
    points = [
        ((ts - terms.starts_at_us) / 1e6, minor / 10**terms.exponent) for ts, minor in played.curve
    ]
    if points:
        points.append(((played.close_at - terms.starts_at_us) / 1e6, points[-1][1]))
    return points
