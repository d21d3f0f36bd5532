"""Identifiers: UUIDv7 (RFC 9562) for rows, random tokens for secrets, SHA-256 for what must not be
stored.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from typing import NewType
from uuid import UUID

OrganisationId = NewType("OrganisationId", UUID)
UserId = NewType("UserId", UUID)
TenderId = NewType("TenderId", UUID)
LotId = NewType("LotId", UUID)
AuctionId = NewType("AuctionId", UUID)

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A UUIDv7 that rises within this process: 48 bits of ms, 12 of counter, 62 random (RFC 9562,
    6.2 method 1).
    """
    global _last
    with _lock:
        stamp = max(time.time_ns() // 1_000_000 << 12, _last + 1)
        _last = stamp
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62
    return UUID(int=value | int.from_bytes(os.urandom(8), "big") >> 2)


def new_token(bytes_count: int = 32) -> str:
    """An unguessable URL-safe text of `bytes_count` random bytes."""
    return secrets.token_urlsafe(bytes_count)


def token_hash(token: str) -> bytes:
    """What is stored instead of a token. Plain SHA-256 is enough: the token itself has full
    entropy.
    """
    return hashlib.sha256(token.encode()).digest()
