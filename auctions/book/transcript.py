"""The transcript file: JSON Lines that anybody can check offline with the public keys alone.

    header    what auction, its terms, the genesis of the chain, for whom the file was made, public
    keys
    command   seq, payload_hash, chain; and where this reader may see it: ts, salt, body, outcome
    head      a signed head of the chain, every HEAD_EVERY commands and after the last
    end       how many lines there are and the SHA-256 of all bytes before this line, signed

A hidden command shows only the hash of its salted payload, so the chain can be checked without
learning anything.
Every line is canonical (sorted keys, no blanks), so a changed byte is found even where no rule
looks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec

from auctions.book import chain as chains
from auctions.book.journal import JournalHead
from auctions.book.receipts import Signer

FORMAT = "marketplace-transcript-1"
HEAD_EVERY = 1_000
LINE_BYTES_MAX = 1 << 20
FULL = "full"


class Header(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    tag="header",
    forbid_unknown_fields=True,
):
    """`terms` is the canonical JSON the chain begins with; `audience` is `full` or the reader's
    alias.
    """

    format: str
    auction: str
    audience: str
    genesis: str
    terms: msgspec.Raw
    keys: dict[str, str]


class Line(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="command",
    forbid_unknown_fields=True,
):
    """One command; `ts` in µs. The last four are there together or not at all."""

    seq: int
    payload_hash: str
    chain: str
    ts: int | None = None
    salt: str | None = None
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    outcome: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class HeadLine(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    tag="head",
    forbid_unknown_fields=True,
):
    """A SignedHead of `auctions.book.receipts`."""

    auction: str
    seq: int
    ts: str
    chain: str
    key_id: str
    signature: str


class End(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    tag="end",
    forbid_unknown_fields=True,
):
    """`lines` before this one, `sha256` over their bytes with line ends; the signature covers the
    other fields.
    """

    auction: str
    lines: int
    sha256: str
    key_id: str
    signature: str = ""


AnyLine = Header | Line | HeadLine | End
_encoder = msgspec.json.Encoder(order="sorted")
_decoder: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)


def encode(line: AnyLine) -> bytes:
    """One canonical line without its line end."""
    return _encoder.encode(line)


def decode(raw: bytes) -> AnyLine:
    """Raises msgspec.ValidationError or msgspec.DecodeError."""
    return _decoder.decode(raw)


def end_bytes(end: End) -> bytes:
    """What the signature of the last line covers."""
    return _encoder.encode(
        {"auction": end.auction, "key_id": end.key_id, "lines": end.lines, "sha256": end.sha256}
    )


class Writer:
    """Makes the bytes of one transcript in order: `header`, `command` for each row, `end`.

    `visible(bidder)` tells whether this reader may see a command of that bidder (`""` for the
    buyer and the clock).
    """

    def __init__(
        self,
        head: JournalHead,
        signer: Signer,
        keys: dict[str, str],
        *,
        audience: str = FULL,
        visible: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._head, self._signer, self._keys = head, signer, keys
        self._audience, self._visible = audience, visible
        self._salts = chains.Salts(head.salt_key)
        self._digest = hashlib.sha256()
        self._lines = 0
        self._last: tuple[int, int, bytes] | None = None

    def header(self) -> bytes:
        genesis = chains.genesis(str(self._head.auction_id), self._head.terms)
        return self._line(
            Header(
                format=FORMAT,
                auction=str(self._head.auction_id),
                audience=self._audience,
                genesis=genesis.hex(),
                terms=msgspec.Raw(self._head.terms),
                keys=self._keys,
            )
        )

    def command(
        self, seq: int, ts: int, bidder: str, body: bytes, outcome: bytes, chain: bytes
    ) -> bytes:
        """One row of the journal, and a signed head where one is due."""
        salt = self._salts.of(seq)
        hashed = chains.payload_hash(salt, seq, ts, body, outcome).hex()
        line = Line(seq=seq, payload_hash=hashed, chain=chain.hex())
        if self._visible(bidder):
            line = msgspec.structs.replace(
                line, ts=ts, salt=salt.hex(), body=msgspec.Raw(body), outcome=msgspec.Raw(outcome)
            )
        self._last = (seq, ts, chain)
        written = self._line(line)
        return written + self._signed_head() if seq % HEAD_EVERY == 0 else written

    def end(self) -> bytes:
        """The head after the last command and the closing line."""
        written = self._signed_head() if self._last is not None else b""
        end = End(
            auction=str(self._head.auction_id),
            lines=self._lines,
            sha256=self._digest.hexdigest(),
            key_id=self._signer.key_id,
        )
        signature = self._signer.sign(end_bytes(end))
        return written + encode(msgspec.structs.replace(end, signature=signature)) + b"\n"

    def _signed_head(self) -> bytes:
        assert self._last is not None
        seq, ts, chain = self._last
        signed = self._signer.head(self._head.auction_id, seq, ts, chain)
        return self._line(HeadLine(**msgspec.structs.asdict(signed)))

    def _line(self, line: AnyLine) -> bytes:
        written = encode(line) + b"\n"
        self._digest.update(written)
        self._lines += 1
        return written


__all__ = [
    "FULL",
    "AnyLine",
    "End",
    "HeadLine",
    "Header",
    "Line",
    "Writer",
    "decode",
    "encode",
    "end_bytes",
]
