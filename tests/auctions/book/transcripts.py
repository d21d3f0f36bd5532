"""Transcripts made without servers, for tests of the verifier."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auctions.book.fold import Fold
from auctions.book.journal import JournalHead
from auctions.book.log import Entry
from auctions.book.receipts import Signer
from auctions.book.transcript import FULL, Writer
from auctions.rules.core.commands import Admit, AnyBody, Bid, Tick, encode
from auctions.rules.terms.read import read_terms

AUCTION = UUID("01a1ff00-0000-7000-8000-000000000001")
START_US = 1_800_000_000_000_000


class Press:
    """Folds bodies as a node would and prints the transcript."""

    def __init__(self, **rules: Any) -> None:
        given = {
            "format": "english", "starts_at": "2027-01-15T08:00:00Z", "duration_s": 3600,
            "step": {"against": "own", "kind": "amount", "value": "0.01"},
        }  # fmt: skip
        self.terms = read_terms(given | rules, auction=str(AUCTION), currency="EUR", ceiling=None)
        self.head = JournalHead(
            AUCTION, 1, 0, 0, "", b"", msgspec.json.encode(self.terms), b"s" * 32, "", None
        )
        private = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
        public = private.public_key().public_bytes_raw()
        key_id = hashlib.sha256(public).hexdigest()[:16]
        self.keys = {key_id: b64encode(public).decode()}
        self.signer = Signer(key_id, private)

    def lines(
        self, bodies: Sequence[tuple[int, AnyBody]], *, audience: str = FULL,
        visible: Callable[[str], bool] = lambda _: True,
    ) -> list[bytes]:  # fmt: skip
        """`bodies` with their time in µs after START_US."""
        fold = Fold(self.head, None)
        writer = Writer(self.head, self.signer, self.keys, audience=audience, visible=visible)
        printed = writer.header()
        for seq, (offset_us, body) in enumerate(bodies, start=1):
            entry = Entry(0, seq, START_US + offset_us, "", "", encode(body))
            made = fold.decide([entry])[0]
            printed += writer.command(
                seq, made.ts, made.bidder, made.kept_body, made.kept_outcome, made.chain
            )
        printed += writer.end()
        return printed.splitlines(keepends=True)


def some_bodies() -> list[tuple[int, AnyBody]]:
    """Two bidders, a refusal, heartbeats, and the close."""
    names = ("Amber Heron", "Quiet Fox")
    bodies: list[tuple[int, AnyBody]] = [
        (number, Admit(cid=f"admit-{number}", bidder=name)) for number, name in enumerate(names)
    ]
    bodies.append((10, Tick()))
    for number in range(12):
        price = f"{100 - number}.00" if number != 5 else "a lot"
        bid = Bid(cid=f"c{number}", bidder=names[number % 2], price=price)
        bodies.append((1_000 + number, bid))
    ticks = range(2_000_000, 3_604_000_000, 2_000_000)
    return bodies + [(offset, Tick()) for offset in ticks]
