"""Signed proofs: a receipt for each decided command, heads of the chain for everybody.

Ed25519 (RFC 8032) over canonical JSON (sorted keys, no blanks) of all fields but the signature.
Private keys are kept
in PostgreSQL, wrapped by AES-256-GCM with a key derived from the master secret (HKDF, RFC 5869),
so all nodes sign
with the same key and a database dump does not let anybody else sign.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TypeVar
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auctions.book.fold import Durable
from auctions.book.journal import Pool
from marketplace.kernel.clock import rfc3339
from marketplace.kernel.sealing import NotSealedHere, Sealer

_LOCK = 7_240_552


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The signed proof of one answered command. The signature covers the canonical JSON (sorted
    keys, no blanks) of all the other fields.

    auction    the auction's id, e.g. `0198c3f2-5a1e-7d3b-9c42-1f0e6a7b8c9d`
    seq        the command's place in the log of the auction, from 1, e.g. `17`
    ts         when it was taken down, RFC 3339 with microseconds; this time decides what is late,
               e.g. `2026-12-01T10:19:59.999999Z`
    cid        the sender's own name for the command, e.g. `b-17`
    outcome    `accepted` or `refused`, e.g. `accepted`
    body_hash  SHA-256 of the command as it was recorded, in hex, e.g.
               `9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`
    chain      the hash chain of the log up to this command, in hex, e.g.
               `60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752`
    key_id     which key of `/.well-known/marketplace-keys.json` signed it, e.g. `9f86d081884c7d65`
    signature  Ed25519, in base64, e.g.
               `mEtdpbZ4s2Pyw1X5y0bD5n3f0m0P1N3hF3cV7Xq2g8m3lW0cK5n5b0dQ4z7t9R2xJ6b1v8k4s0a9d2f7g5h3Bw==`
    """

    auction: str
    seq: int
    ts: str
    cid: str
    outcome: str
    body_hash: str
    chain: str
    key_id: str
    signature: str = ""


class SignedHead(msgspec.Struct, frozen=True, kw_only=True):
    """The chain after `seq`, signed: whoever keeps one can prove that history was not rewritten."""

    auction: str
    seq: int
    ts: str
    chain: str
    key_id: str
    signature: str = ""


Proof = TypeVar("Proof", Receipt, SignedHead)

_canonical = msgspec.json.Encoder(order="sorted")


def signed_bytes(proof: Receipt | SignedHead) -> bytes:
    """What the signature covers."""
    fields = msgspec.structs.asdict(proof)
    del fields["signature"]
    return _canonical.encode(fields)


class Signer:
    """Signs with the newest key; made once per process by `load_signer`."""

    def __init__(self, key_id: str, private: Ed25519PrivateKey) -> None:
        self.key_id = key_id
        self._private = private

    def receipt(self, auction_id: UUID, durable: Durable) -> Receipt:
        return self._sign(
            Receipt(
                auction=str(auction_id),
                seq=durable.seq,
                ts=rfc3339(durable.ts),
                cid=durable.cid,
                outcome="accepted" if durable.outcome.accepted else "refused",
                body_hash=hashlib.sha256(durable.command.raw).hexdigest(),
                chain=durable.chain.hex(),
                key_id=self.key_id,
            )
        )

    def head(self, auction_id: UUID, seq: int, ts: int, chain: bytes) -> SignedHead:
        return self._sign(
            SignedHead(
                auction=str(auction_id),
                seq=seq,
                ts=rfc3339(ts),
                chain=chain.hex(),
                key_id=self.key_id,
            )
        )

    def sign(self, signed: bytes) -> str:
        """The signature in base64."""
        return b64encode(self._private.sign(signed)).decode()

    def _sign(self, proof: Proof) -> Proof:
        return msgspec.structs.replace(proof, signature=self.sign(signed_bytes(proof)))


async def load_signer(pool: Pool, secret: str) -> Signer:
    """The newest key, made on first use. Raises SecretError when the master secret cannot unwrap
    it.
    """
    async with pool.acquire() as connection, connection.transaction():
        # Two nodes that start first must agree on one key.
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        row = await connection.fetchrow(
            "SELECT key_id, wrapped_private FROM signing_keys WHERE retired_at IS NULL "
            "ORDER BY created_at DESC LIMIT 1"
        )
        if row is not None:
            return Signer(row["key_id"], _unwrap(secret, row["key_id"], row["wrapped_private"]))
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        key_id = hashlib.sha256(public).hexdigest()[:16]
        await connection.execute(
            "INSERT INTO signing_keys (key_id, public, wrapped_private) VALUES ($1, $2, $3)",
            key_id,
            public,
            key_sealer(secret).seal(private.private_bytes_raw(), key_id.encode()),
        )
    return Signer(key_id, private)


async def public_keys(pool: Pool) -> dict[str, str]:
    """All public keys ever used, base64 by key id, for `/.well-known/marketplace-keys.json`."""
    rows = await pool.fetch("SELECT key_id, public FROM signing_keys ORDER BY created_at")
    return {row["key_id"]: b64encode(row["public"]).decode() for row in rows}


class SecretError(Exception):
    """MARKETPLACE_SECRET is not the one the signing keys were wrapped with."""


def key_sealer(secret: str) -> Sealer:
    """Private keys are sealed in the context of their own id."""
    return Sealer(secret, "marketplace signing keys v1")


def _unwrap(secret: str, key_id: str, wrapped: bytes) -> Ed25519PrivateKey:
    try:
        raw = key_sealer(secret).open(wrapped, key_id.encode())
    except NotSealedHere:
        raise SecretError(
            "MARKETPLACE_SECRET differs from the one this database was set up with"
        ) from None
    return Ed25519PrivateKey.from_private_bytes(raw)
