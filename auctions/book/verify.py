"""Check a transcript with nothing but the file and public keys: chain, signatures, every decision.

A full transcript is folded again by the very rules that ran the auction, so ranks, extensions and
the winner come out of the commands, not out of what the file says about them. A reader's own
transcript is checked as far as it shows: the whole chain, and the payloads that reader may see.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Mapping

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from auctions.book import chain as chains
from auctions.book.receipts import SignedHead, signed_bytes
from auctions.book.transcript import (
    FORMAT,
    FULL,
    HEAD_EVERY,
    LINE_BYTES_MAX,
    End,
    Header,
    HeadLine,
    Line,
    decode,
    encode,
    end_bytes,
)
from auctions.rules.core import commands, outcomes
from auctions.rules.core.apply import BrokenLog
from auctions.rules.core.commands import Command
from auctions.rules.core.outcomes import Extended, Outcome
from auctions.rules.core.parameters import Terms
from auctions.rules.core.state import State
from auctions.rules.versions import Apply, apply_of, initial
from auctions.rules.views.visibility import result


class WrongLine(Exception):
    """The first line that cannot be right: its number from 1, and why."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"line {number}: {reason}")
        self.number, self.reason = number, reason


class Verdict(msgspec.Struct, kw_only=True):
    """What the file proves. `standing` is empty for a reader's own transcript; `chain` is the last
    one, in hex.
    """

    auction: str
    audience: str
    commands: int = 0
    shown: int = 0
    heads: int = 0
    chain: str = ""
    extensions: int = 0
    state: str | None = None
    close_at_us: int | None = None
    currency: str = ""
    standing: list[dict[str, object]] = []


class Broken(Exception):
    """What is wrong with the line at hand."""


class Verifier:
    """Takes the lines of one transcript in order. `keys` maps key ids to base64 public keys;
    without
    them the file's own are used, which proves consistency but not who made the file."""

    def __init__(self, keys: Mapping[str, str] | None = None) -> None:
        self._trusted = dict(keys) if keys is not None else None
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._digest = hashlib.sha256()
        self._lines = 0
        self._chain = b""
        self._head_due = False
        self._ended = False
        self._state: State | None = None
        self._apply: Apply | None = None
        self._verdict: Verdict | None = None

    def take(self, raw: bytes) -> None:
        """One line with its line end. Raises WrongLine."""
        self._lines += 1
        try:
            self._take(raw)
        except Broken as broken:
            raise WrongLine(self._lines, str(broken)) from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise WrongLine(self._lines, f"not readable: {error}") from None

    def verdict(self) -> Verdict:
        """After the last line. Raises WrongLine when the file stops too early."""
        if self._verdict is None or not self._ended:
            raise WrongLine(self._lines + 1, "the file ends here, its closing line is missing")
        state, found = self._state, self._verdict
        found.chain = self._chain.hex()
        if state is not None:
            found.state, found.close_at_us = state.status, state.close_at
            found.standing = result(state)
        return found

    def _take(self, raw: bytes) -> None:
        if self._ended:
            raise Broken("nothing may follow the closing line")
        if not raw.endswith(b"\n") or len(raw) > LINE_BYTES_MAX:
            raise Broken("a line ends with a line end and is at most 1 MiB long")
        line = decode(raw)
        if encode(line) != raw[:-1]:
            raise Broken("not in canonical form: something was changed")
        if isinstance(line, Header) is not (self._verdict is None):
            raise Broken("the header comes first and once")
        if isinstance(line, Line):
            self._command(line)
        elif isinstance(line, Header):
            self._header(line)
        elif isinstance(line, HeadLine):
            self._head(line)
        else:
            self._end(line)
        self._digest.update(raw)

    def _header(self, line: Header) -> None:
        if line.format != FORMAT:
            raise Broken(f"this program reads {FORMAT}")
        self._chain = chains.genesis(line.auction, bytes(line.terms))
        if self._chain.hex() != line.genesis:
            raise Broken("the genesis does not follow from auction and terms")
        terms = msgspec.json.decode(bytes(line.terms), type=Terms)
        if terms.auction != line.auction:
            raise Broken("the terms are those of another auction")
        if self._trusted is not None and line.keys.items() - self._trusted.items():
            raise Broken("a key of the file is not among the keys you trust")
        for key_id, text in line.keys.items():
            self._keys[key_id] = public_key(key_id, text)
        self._verdict = Verdict(
            auction=line.auction, audience=line.audience, currency=terms.currency
        )
        if line.audience == FULL:
            try:
                self._state, self._apply = initial(terms), apply_of(terms)
            except BrokenLog as error:
                raise Broken(str(error)) from None

    def _command(self, line: Line) -> None:
        found = self._known()
        if self._head_due and found.commands % HEAD_EVERY == 0:
            raise Broken(f"the signed head after command {found.commands} is missing")
        if line.seq != found.commands + 1:
            raise Broken(f"command {found.commands + 1} is missing")
        hashed = _unhex(line.payload_hash)
        self._chain = chains.link(self._chain, line.seq, hashed)
        if self._chain.hex() != line.chain:
            raise Broken("the chain does not follow")
        found.commands += 1
        self._head_due = True
        ts, salt, body, outcome = line.ts, line.salt, line.body, line.outcome
        if ts is None or salt is None or not body or not outcome:
            if self._state is not None or ts or salt or body or outcome:
                raise Broken("time, salt, body and outcome are shown together")
            return
        found.shown += 1
        if chains.payload_hash(_unhex(salt), line.seq, ts, body, outcome) != hashed:
            raise Broken("body, outcome or time is not what was hashed")
        if self._state is not None:
            decided = self._decide(line.seq, ts, body, outcome)
            found.extensions += _extensions(decided) if decided.events else 0

    def _decide(self, seq: int, ts: int, body: bytes, outcome: bytes) -> Outcome:
        assert self._state is not None
        assert self._apply is not None
        try:
            self._state, decided = self._apply(
                self._state, Command(seq, ts, commands.decode(body), body)
            )
        except BrokenLog as error:
            raise Broken(str(error)) from None
        # Raw against Raw: making bytes of it would copy each line twice more.
        if msgspec.Raw(outcomes.encode(decided)) != outcome:
            raise Broken("the rules decide this command differently")
        return decided

    def _head(self, line: HeadLine) -> None:
        found = self._known()
        if line.auction != found.auction or line.seq != found.commands:
            raise Broken("this head is not of the command before it")
        if line.chain != self._chain.hex():
            raise Broken("this head signs another history")
        head = SignedHead(**msgspec.structs.asdict(line))
        self._check(line.key_id, line.signature, signed_bytes(head))
        found.heads += 1
        self._head_due = False

    def _end(self, line: End) -> None:
        found = self._known()
        if self._head_due:
            raise Broken("the last command has no signed head: lines were cut off")
        if line.auction != found.auction or line.lines != self._lines - 1:
            raise Broken("lines are missing or were added")
        if line.sha256 != self._digest.hexdigest():
            raise Broken("the bytes above were changed")
        self._check(line.key_id, line.signature, end_bytes(line))
        self._ended = True

    def _check(self, key_id: str, signature: str, signed: bytes) -> None:
        key = self._keys.get(key_id)
        if key is None:
            raise Broken(f"signed by an unknown key {key_id}")
        try:
            key.verify(b64decode(signature, validate=True), signed)
        except (InvalidSignature, Base64Error):
            raise Broken("the signature is wrong") from None

    def _known(self) -> Verdict:
        assert self._verdict is not None, "the header was read"
        return self._verdict


def verify(
    lines: Iterable[bytes],
    keys: Mapping[str, str] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Verdict:
    """Check a whole transcript; memory does not grow with its length.

    `progress` is called with the number of bytes of each line. Raises WrongLine.
    """
    verifier = Verifier(keys)
    for raw in lines:
        verifier.take(raw)
        progress(len(raw))
    return verifier.verdict()


def _extensions(outcome: Outcome) -> int:
    return sum(type(event) is Extended for event in outcome.events)


def _unhex(text: str) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raise Broken("not a hash") from None
    if raw.hex() != text:
        raise Broken("a hash is written in small letters")
    return raw


def public_key(key_id: str, text: str) -> Ed25519PublicKey:
    try:
        raw = b64decode(text, validate=True)
        key = Ed25519PublicKey.from_public_bytes(raw)
    except (Base64Error, ValueError):
        raise Broken(f"key {key_id} is no Ed25519 public key") from None
    if hashlib.sha256(raw).hexdigest()[:16] != key_id:
        raise Broken(f"key {key_id} has another name than its bytes give")
    return key
