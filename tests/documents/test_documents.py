"""Documents of every subject: one list of allowed kinds."""

from __future__ import annotations

import pytest

from marketplace.documents import rules
from marketplace.kernel.errors import Invalid


@pytest.mark.parametrize(
    ("media_type", "start"),
    [
        ("image/webp", b"RIFF\x24\x00\x00\x00WEBP"),
        ("application/vnd.oasis.opendocument.text", b"PK\x03\x04\x14"),
        ("image/vnd.dwg", b"AC1032"),
        ("text/csv; charset=utf-8", b"a;b"),
    ],
)
def test_the_kinds_of_orders_and_of_tenders_are_one_list(media_type: str, start: bytes) -> None:
    plain = rules.check_type(media_type)
    rules.check_start(plain, start)
    with pytest.raises(Invalid):
        rules.check_start(plain, b"MZ\x90\x00")
