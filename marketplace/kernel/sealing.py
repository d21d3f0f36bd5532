"""Secrets at rest: AES-256-GCM with a key derived for one purpose from the master secret."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class NotSealedHere(ValueError):
    """Another key, another context, or a changed byte."""


def derived_key(secret: str, purpose: str) -> bytes:
    """32 bytes by HKDF-SHA-256 (RFC 5869); different purposes share nothing."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(
        secret.encode()
    )


def secrets_of(secret: str) -> list[str]:
    """The one that seals first, then those that may only open (`kernel.secret.Secret`)."""
    return [secret, *getattr(secret, "others", ())]


class Sealer:
    """Seals for one `purpose`; `context` binds a text to its place, so it cannot be moved."""

    def __init__(self, secret: str, purpose: str) -> None:
        self._ciphers = [AESGCM(derived_key(each, purpose)) for each in secrets_of(secret)]

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """12 bytes of nonce, then ciphertext and tag."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Raises NotSealedHere."""
        return self._opened(sealed, context)[1]

    def resealed(self, sealed: bytes, context: bytes) -> bytes | None:
        """The same by the secret that seals; None when it is that already. Raises NotSealedHere."""
        number, plain = self._opened(sealed, context)
        return None if number == 0 else self.seal(plain, context)

    def _opened(self, sealed: bytes, context: bytes) -> tuple[int, bytes]:
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        for number, cipher in enumerate(self._ciphers):
            try:
                return number, cipher.decrypt(nonce, text, context)
            except (InvalidTag, ValueError):
                continue
        raise NotSealedHere("the sealed text does not open here")
