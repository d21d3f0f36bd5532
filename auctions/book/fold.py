"""The state of one auction with its place in the log: fold commands, link the chain, save and
restore.
"""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import asyncpg
import msgspec

from auctions.book import chain as chains
from auctions.book.envelope import Envelope, has_sealed_phase, is_sealing
from auctions.book.journal import JournalHead, Record, Snapshot
from auctions.book.log import GENESIS_TAG, tag_after
from auctions.rules import commands, outcomes
from auctions.rules.apply import apply
from auctions.rules.commands import Command
from auctions.rules.outcomes import Outcome
from auctions.rules.state import State, dump, initial, load
from auctions.rules.terms import Terms


class Durable(Record, frozen=True, gc=False):
    """A command with its outcome, and as PostgreSQL keeps both."""

    command: Command
    outcome: Outcome


class DivergedError(Exception):
    """The journal folds to another chain than it keeps: other rules, or somebody changed it."""


class Fold:
    """Made from the journal's head and its newest snapshot; `decide` moves it one command on."""

    def __init__(
        self, head: JournalHead, snapshot: Snapshot | None, envelope: Envelope | None = None
    ) -> None:
        self.auction_id: UUID = head.auction_id
        self.terms = msgspec.json.decode(head.terms, type=Terms)
        self._salts = chains.Salts(head.salt_key)
        self._envelope = envelope or Envelope()
        self.state: State = initial(self.terms)
        self.seq, self.tag = 0, GENESIS_TAG
        self.chain = chains.genesis(str(self.auction_id), head.terms)
        if snapshot is not None:
            # One of another version of this program is only a short cut that is lost.
            with suppress(msgspec.MsgspecError):
                self.state = load(snapshot.state)
                self.seq, self.tag, self.chain = snapshot.seq, snapshot.tag, snapshot.chain

    def decide(self, seq: int, ts: int, raw: bytes, tag: str) -> Durable:
        """Apply one command and link it. The result is to be shown only once it is durable.

        `raw` and `tag` are those of the log, where `raw` may be sealed.
        """
        assert seq == self.seq + 1, "commands come without gaps"
        body = self._envelope.open(self.auction_id, raw)
        asked = commands.decode(body)
        command = Command(seq, ts, asked, body)
        self.state, outcome = apply(self.state, command)
        kept = outcomes.encode(outcome)
        hashed = chains.payload_hash(self._salts.of(seq), seq, ts, body, kept)
        self.seq, self.tag, self.chain = seq, tag, chains.link(self.chain, seq, hashed)
        if body is not raw and is_sealing(self.state):
            # A sealed body stays so for good (its tag covers it), its outcome until the opening.
            kept = self._envelope.seal(self.auction_id, kept)
        bidder = getattr(asked, "bidder", None) or ""
        return Durable(seq, ts, bidder, asked.cid, raw, kept, self.chain, tag, command, outcome)

    def replay(self, row: asyncpg.Record) -> Durable:
        """Fold a row of the journal. Raises DivergedError unless its chain comes out."""
        tag = tag_after(self.tag, row["seq"], row["ts"], row["body"])
        durable = self.decide(row["seq"], row["ts"], row["body"], tag)
        if self.chain != row["chain"]:
            raise DivergedError(f"{self.auction_id} differs at {row['seq']}")
        return durable

    def durable(self, row: asyncpg.Record) -> Durable:
        """A kept row as it was published (its tag is not kept and reads empty)."""
        seq, ts, chain = row["seq"], row["ts"], row["chain"]
        body = self._envelope.open(self.auction_id, row["body"])
        outcome = outcomes.decode(self._envelope.open(self.auction_id, row["outcome"]))
        asked = commands.decode(body)
        bidder, command = getattr(asked, "bidder", None) or "", Command(seq, ts, asked, body)
        return Durable(
            seq, ts, bidder, asked.cid, row["body"], row["outcome"], chain, "", command, outcome
        )

    def snapshot(self) -> Snapshot:
        sealed = has_sealed_phase(self.state)
        return Snapshot(self.seq, self.tag, self.chain, dump(self.state), sealed)
