"""Bids of a sealed phase at rest: Redis and PostgreSQL hold ciphertext until the bids are opened.

An envelope is `~` and base64 of AES-256-GCM, whose key comes from the master secret; canonical JSON
never begins so, therefore whoever reads a body, outcome or snapshot may always ask `open`. Chain,
receipts and transcripts are over the plain bytes: what was sealed is proven like all else.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from uuid import UUID

from auctions.rules.core.state import State
from marketplace.kernel.sealing import Sealer

MARK = b"~"


class Envelope:
    """Seals for one installation. Without a secret (tools that only read open logs) nothing is
    sealed.
    """

    def __init__(self, secret: str | None = None) -> None:
        self._sealer = None if secret is None else Sealer(secret, "sealed bids in the auction log")

    def seal(self, auction_id: UUID, plain: bytes) -> bytes:
        """Bound to its auction; no line ends, so that it travels in a batch."""
        if self._sealer is None:
            return plain
        return MARK + b64encode(self._sealer.seal(plain, auction_id.bytes))

    def open(self, auction_id: UUID, kept: bytes) -> bytes:
        """What was sealed, or `kept` as it is. Raises NotSealedHere."""
        if not kept.startswith(MARK):
            return kept
        assert self._sealer is not None, "a sealed log needs the master secret"
        return self._sealer.open(b64decode(kept[1:]), auction_id.bytes)

    def resealed(self, auction_id: UUID, kept: bytes) -> bytes | None:
        """The same by the secret that seals; None for what is plain or is that already. Raises
        NotSealedHere.
        """
        if not kept.startswith(MARK):
            return None
        assert self._sealer is not None, "a sealed log needs the master secret"
        sealed = self._sealer.resealed(b64decode(kept[1:]), auction_id.bytes)
        return None if sealed is None else MARK + b64encode(sealed)


def is_sealing(state: State) -> bool:
    """Whether bids made now are not opened yet."""
    return state.format.is_sealed and state.status not in ("closed", "cancelled")


def has_sealed_phase(state: State) -> bool:
    """Whether a snapshot may hold unopened bids."""
    formats = state.rules.formats
    return any(formats[phase.format].is_sealed for phase in state.terms.phases)
