"""Sealed offers: encrypted to a key of their tender that nobody holds until the opening.

Each tender has an X25519 pair. An offer is encrypted to the public half with an ephemeral key
(X25519, HKDF-SHA-256, AES-256-GCM, as in RFC 9180 base mode), bound to its lot and supplier, and
padded, so that its length tells nothing. The private half exists only as sealed shares: one where
one person may open, else two whose exclusive or it is, each released by another person.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from marketplace.kernel.sealing import NotSealedHere, Sealer

KEY_BYTES, NONCE_BYTES, PAD_BYTES = 32, 12, 1_024
_INFO = b"marketplace sealed offer 1"


def new_key(secret: str, tender_id: UUID, *, two_person: bool) -> tuple[bytes, list[bytes]]:
    """(public half, sealed shares). The private half itself is forgotten here."""
    private = X25519PrivateKey.generate()
    whole = private.private_bytes_raw()
    parts = [whole]
    if two_person:
        mask = secrets.token_bytes(KEY_BYTES)
        parts = [mask, _xor(mask, whole)]
    shares = [
        _sealer(secret, number).seal(part, _share_context(tender_id, number))
        for number, part in enumerate(parts, 1)
    ]
    return private.public_key().public_bytes_raw(), shares


def private_key(secret: str, tender_id: UUID, shares: Sequence[bytes]) -> X25519PrivateKey:
    """From all shares in order. Raises NotSealedHere (another master secret, a changed byte)."""
    parts = [
        _sealer(secret, number).open(share, _share_context(tender_id, number))
        for number, share in enumerate(shares, 1)
    ]
    whole = parts[0] if len(parts) == 1 else _xor(parts[0], parts[1])
    return X25519PrivateKey.from_private_bytes(whole)


def resealed_share(secret: str, tender_id: UUID, number: int, share: bytes) -> bytes | None:
    """The share by the secret that seals; None when it is that already. Raises NotSealedHere."""
    return _sealer(secret, number).resealed(share, _share_context(tender_id, number))


def seal_offer(public: bytes, plain: bytes, context: bytes) -> bytes:
    """Ephemeral public key, nonce, ciphertext."""
    ephemeral = X25519PrivateKey.generate()
    sender = ephemeral.public_key().public_bytes_raw()
    cipher = _cipher(ephemeral.exchange(X25519PublicKey.from_public_bytes(public)), sender, public)
    nonce = secrets.token_bytes(NONCE_BYTES)
    # JSON text: blanks at its end mean nothing.
    padded = plain + b" " * (-len(plain) % PAD_BYTES)
    return sender + nonce + cipher.encrypt(nonce, padded, context)


def open_offer(private: X25519PrivateKey, sealed: bytes, context: bytes) -> bytes:
    """Raises NotSealedHere when it was changed, moved, or is of another tender."""
    sender, nonce = sealed[:KEY_BYTES], sealed[KEY_BYTES : KEY_BYTES + NONCE_BYTES]
    public = private.public_key().public_bytes_raw()
    cipher = _cipher(private.exchange(X25519PublicKey.from_public_bytes(sender)), sender, public)
    try:
        return cipher.decrypt(nonce, sealed[KEY_BYTES + NONCE_BYTES :], context).rstrip(b" ")
    except InvalidTag:
        raise NotSealedHere("the sealed offer does not open here") from None


def offer_context(lot_id: UUID, organisation_id: UUID, revision: int) -> bytes:
    """What an offer is bound to: moved to another row it does not open."""
    return lot_id.bytes + organisation_id.bytes + revision.to_bytes(4, "big")


def _cipher(shared: bytes, sender: bytes, receiver: bytes) -> AESGCM:
    info = _INFO + sender + receiver
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(shared))


def _sealer(secret: str, number: int) -> Sealer:
    return Sealer(secret, f"tender key share {number}")


def _share_context(tender_id: UUID, number: int) -> bytes:
    return tender_id.bytes + number.to_bytes(1, "big")


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
