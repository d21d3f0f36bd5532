"""The hash chain over commands and outcomes: what makes a log impossible to change unseen.

    payload       canonical JSON of {body, outcome, seq, ts}
    payload_hash  SHA-256(salt ‖ payload); the salt keeps a hidden payload from being guessed from
    its hash
    chain_n       SHA-256(chain_{n-1} ‖ seq as 8 bytes ‖ payload_hash), chain_0 from the auction's
    id and terms

Salts are BLAKE2b of the seq, keyed with the auction's salt key, so every node and every replay
makes the same chain.
"""

from __future__ import annotations

import hashlib

DOMAIN = b"marketplace chain v1\n"


def genesis(auction: str, terms: bytes) -> bytes:
    """The chain before the first command: it binds the auction and its canonical terms."""
    return hashlib.sha256(DOMAIN + auction.encode() + b"\n" + terms).digest()


class Salts:
    """The salts of one auction: 16 bytes by keyed BLAKE2b (RFC 7693) of the seq, so they reveal
    neither the key nor each other.
    """

    def __init__(self, salt_key: bytes) -> None:
        # Setting up the key costs three times as much as hashing with it.
        self._keyed = hashlib.blake2b(key=salt_key, digest_size=16)

    def of(self, seq: int) -> bytes:
        salt = self._keyed.copy()
        salt.update(b"%d" % seq)
        return salt.digest()


def payload_hash(salt: bytes, seq: int, ts: int, body: bytes, outcome: bytes) -> bytes:
    """`body` and `outcome` are canonical JSON already; the payload's keys are in sorted order."""
    salted = b'%b{"body":%b,"outcome":%b,"seq":%d,"ts":%d}' % (salt, body, outcome, seq, ts)
    return hashlib.sha256(salted).digest()


def link(before: bytes, seq: int, hashed_payload: bytes) -> bytes:
    """chain_n from chain_{n-1}."""
    return hashlib.sha256(before + seq.to_bytes(8, "big") + hashed_payload).digest()
