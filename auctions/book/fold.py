"""The state of one auction with its place in the log: fold commands, link the chain, save and
restore.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import asyncpg
import msgspec

from auctions.book import chain as chains
from auctions.book.envelope import Envelope, has_sealed_phase, is_sealing
from auctions.book.journal import JournalHead, Record, Snapshot
from auctions.book.log import GENESIS_TAG, Entry, tag_after
from auctions.rules.core import commands, outcomes
from auctions.rules.core.commands import AnyBody, Command
from auctions.rules.core.outcomes import Outcome
from auctions.rules.core.parameters import Terms
from auctions.rules.core.state import State, dump
from auctions.rules.versions import apply_of, initial, load


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
        self._apply = apply_of(self.terms)
        self.seq, self.tag = 0, GENESIS_TAG
        self.chain = chains.genesis(str(self.auction_id), head.terms)
        if snapshot is not None:
            # One of another version of this program is only a short cut that is lost.
            with suppress(msgspec.MsgspecError):
                self.state = load(snapshot.state)
                self.seq, self.tag, self.chain = snapshot.seq, snapshot.tag, snapshot.chain

    def decide(self, entries: Sequence[Entry]) -> list[Durable]:
        """Apply commands and link them. The results are to be shown only once they are durable.

        Each step is done for all of them before the next one: a step finds its code and data still
        in the processor's caches, all steps for one command would not.
        """
        first, last = entries[0], entries[-1]
        assert first.seq == self.seq + 1, "commands come without gaps"
        if first is not last and has_sealed_phase(self.state):
            # Whether an outcome is sealed depends on the state right after it.
            return [self.decide([entry])[0] for entry in entries]
        plain = [self._envelope.open(self.auction_id, entry.raw) for entry in entries]
        bodies = [commands.decode(raw) for raw in plain]
        asked = [
            Command(e.seq, e.ts, body, raw)
            for e, body, raw in zip(entries, bodies, plain, strict=True)
        ]
        decided = [self._applied(command) for command in asked]
        kept = [outcomes.encode(outcome) for outcome in decided]
        links = self._linked(asked, kept)
        if plain[0] is not first.raw and is_sealing(self.state):
            # A sealed body stays so for good (its tag covers it), its outcome until the opening.
            kept = [self._envelope.seal(self.auction_id, kept[0])]
        self.seq, self.tag, self.chain = last.seq, last.tag, links[-1]
        return [
            Durable(e.seq, e.ts, _bidder(body), body.cid, e.raw, k, link, e.tag, command, outcome)
            for e, body, k, link, command, outcome in zip(
                entries, bodies, kept, links, asked, decided, strict=True
            )
        ]

    def _applied(self, command: Command) -> Outcome:
        self.state, outcome = self._apply(self.state, command)
        return outcome

    def _linked(self, asked: Sequence[Command], kept: Sequence[bytes]) -> list[bytes]:
        """The chain after each of these."""
        salts = [self._salts.of(command.seq) for command in asked]
        hashes = [
            chains.payload_hash(salt, command.seq, command.ts, command.raw, outcome)
            for salt, command, outcome in zip(salts, asked, kept, strict=True)
        ]
        links, chain = [], self.chain
        for command, hashed in zip(asked, hashes, strict=True):
            chain = chains.link(chain, command.seq, hashed)
            links.append(chain)
        return links

    def replay(self, row: asyncpg.Record) -> Durable:
        """Fold a row of the journal. Raises DivergedError unless its chain comes out."""
        seq, ts, raw = row["seq"], row["ts"], row["body"]
        entry = Entry(0, seq, ts, self.tag, tag_after(self.tag, seq, ts, raw), raw)
        durable = self.decide([entry])[0]
        if self.chain != row["chain"]:
            raise DivergedError(f"{self.auction_id} differs at {seq}")
        return durable

    def durable(self, row: asyncpg.Record) -> Durable:
        """A kept row as it was published (its tag is not kept and reads empty)."""
        seq, ts, chain = row["seq"], row["ts"], row["chain"]
        body = self._envelope.open(self.auction_id, row["body"])
        outcome = outcomes.decode(self._envelope.open(self.auction_id, row["outcome"]))
        command = Command(seq, ts, commands.decode(body), body)
        bidder, cid = _bidder(command.body), command.body.cid
        return Durable(
            seq, ts, bidder, cid, row["body"], row["outcome"], chain, "", command, outcome
        )

    def snapshot(self) -> Snapshot:
        sealed = has_sealed_phase(self.state)
        return Snapshot(self.seq, self.tag, self.chain, dump(self.state), sealed)


def _bidder(body: AnyBody) -> str:
    return getattr(body, "bidder", None) or ""
