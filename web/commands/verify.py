"""`marketplace verify FILE`: is this transcript or receipt genuine? Needs no server."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec
from rich.console import Console
from rich.progress import Progress

from auctions.book.proofs import AnyProof, WrongProof, check_signature, read_proofs
from auctions.book.transcript import FULL, LINE_BYTES_MAX
from auctions.book.verify import Verdict, WrongLine, verify
from marketplace.kernel.clock import rfc3339
from marketplace.kernel.collector import settle
from web.console import CommandFailed, say

RECEIPTS_BYTES_MAX = 1 << 20
"""Larger than the largest file of receipts that the page of an auction saves."""


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="a transcript (JSON Lines), or receipts (JSON)")
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="FILE",
        help="public keys you trust, as /.well-known/marketplace-keys.json gives them",
    )


def run(args: Namespace) -> int:
    keys = _read_keys(args.keys) if args.keys else None
    settle()
    if (proofs := _read_proofs(args.file)) is not None:
        return _check(args.file, proofs, keys)
    with args.file.open("rb") as file, Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("Verifying", total=args.file.stat().st_size)
        try:
            verdict = verify(_lines(file), keys, lambda count: bar.advance(task, count))
        except WrongLine as wrong:
            raise CommandFailed(f"{args.file} is NOT in order, {wrong}") from None
    for line in report(verdict, trusted=keys is not None):
        say(line)
    return 0


def _read_proofs(path: Path) -> list[AnyProof] | None:
    """None for a transcript, which may be too long to be read at once. Raises CommandFailed."""
    if path.stat().st_size > RECEIPTS_BYTES_MAX:
        return None
    try:
        return read_proofs(path.read_bytes())
    except WrongProof as wrong:
        raise CommandFailed(f"{path} is NOT in order: {wrong.reason}") from None


def _check(path: Path, proofs: list[AnyProof], keys: dict[str, str] | None) -> int:
    """Raises CommandFailed."""
    if keys is None:
        raise CommandFailed("A receipt has no keys inside: give --keys.")
    for proof in proofs:
        try:
            check_signature(proof, keys)
        except WrongProof as wrong:
            place = f"{path} is NOT in order, no. {proof.seq}"
            raise CommandFailed(f"{place}: {wrong.reason}") from None
    say(f"In order: {len(proofs)} signed by the keys you trust.")
    return 0


def report(verdict: Verdict, *, trusted: bool) -> list[str]:
    """The verdict in plain words."""
    lines = [
        f"Auction {verdict.auction}: in order. {verdict.commands} commands, "
        f"{verdict.heads} signed heads, {verdict.shown} payloads checked."
    ]
    if not trusted:
        lines.append(
            "Signatures fit the keys inside the file; give --keys to check whose they are."
        )
    if verdict.audience != FULL:
        return [
            *lines,
            f"This is what {verdict.audience} may see; the rest is checked by its hashes.",
        ]
    assert verdict.close_at_us is not None
    lines.append(
        f"State {verdict.state}, close {rfc3339(verdict.close_at_us)}, "
        f"{verdict.extensions} extensions."
    )
    for row in verdict.standing[:10]:
        lines.append(
            f"  {row['rank']:>3}. {row['alias']}: {row['price']} {verdict.currency}, "
            f"evaluated {row['evaluated']} (coefficient {row['coefficient']}), bid {row['seq']}"
        )
    return lines


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(LINE_BYTES_MAX + 1):
        yield line


def _read_keys(path: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_KeyFile).keys
    except msgspec.MsgspecError as error:
        raise CommandFailed(f"{path} holds no public keys: {error}") from None


class _KeyFile(msgspec.Struct):
    keys: dict[str, str]
