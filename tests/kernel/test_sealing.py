"""Sealed texts open only with the same secret, purpose and context."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kernel.sealing import NotSealedHere, Sealer


@given(plain=st.binary(max_size=200), context=st.binary(max_size=50))
def test_what_was_sealed_opens_again(plain: bytes, context: bytes) -> None:
    sealer = Sealer("secret", "purpose")
    assert sealer.open(sealer.seal(plain, context), context) == plain


@pytest.mark.parametrize(
    ("secret", "purpose", "context"),
    [
        ("other", "purpose", b"context"),
        ("secret", "other", b"context"),
        ("secret", "purpose", b"other"),
    ],
)
def test_nothing_opens_elsewhere(secret: str, purpose: str, context: bytes) -> None:
    sealed = Sealer("secret", "purpose").seal(b"plain", b"context")
    with pytest.raises(NotSealedHere):
        Sealer(secret, purpose).open(sealed, context)


def test_every_flipped_byte_is_noticed() -> None:
    sealer = Sealer("secret", "purpose")
    sealed = sealer.seal(b"plain", b"")
    for index in range(len(sealed)):
        broken = bytearray(sealed)
        broken[index] ^= 1
        with pytest.raises(NotSealedHere):
            sealer.open(bytes(broken), b"")
