"""Encodings: recognised over the whole file, asked about where several readings are as likely."""

from __future__ import annotations

import pytest

from pricing.imports.read.encodings import (
    Sample,
    Unclear,
    Unrecognised,
    beginning,
    canonical,
    named,
    recognise,
)

CZECH = "A;C62;CZK;12,50;1;Příruba měděná vozík žluťoučký, šířka 60 cm\nB;C62;CZK;9;1;Těsnění\n"
POLISH = "A;C62;PLN;12,50;1;Łożysko kulkowe średnica 12 mm, wąż gumowy\nB;C62;PLN;9;1;Śruba\n"
HUNGARIAN = "A;C62;HUF;12,50;Golyóscsapágy átmérő 12 mm, gumitömlő\nB;C62;HUF;9;Hatlapfejű csavar\n"
GERMAN = "A;C62;EUR;12,50;Kugellager Größe 12 mm, Gummischlauch für Öl\nB;C62;EUR;9;Dübel\n"
FRENCH = "A;C62;EUR;12,50;Roulement à billes, diamètre 12 mm\nB;C62;EUR;9;Vis à tête fraisée\n"
RUSSIAN = "A;C62;RUB;12,50;Подшипник шариковый, шланг резиновый\nB;C62;RUB;9;Болт М8\n"  # noqa: RUF001
UKRAINIAN = "A;C62;UAH;12,50;Підшипник кульковий, їжак\nB;C62;UAH;9;Болт з головкою\n"
GREEK = "A;C62;EUR;12,50;Ρουλεμάν διαμέτρου 12 mm\nB;C62;EUR;9;Βίδα εξαγωνική\n"
TURKISH = "A;C62;TRY;12,50;Bilyalı rulman çapı, kauçuk hortum ışık\nB;C62;TRY;9;Altıgen başlı ğ\n"  # noqa: RUF001
WRITTEN = [
    (CZECH, ("cp1250", "iso8859-2", "cp852", "mac-latin2")),
    (POLISH, ("cp1250", "iso8859-2", "cp852", "mac-latin2")),
    (HUNGARIAN, ("cp1250", "cp852")),
    (GERMAN, ("cp1252", "cp850", "cp437", "mac-roman", "iso8859-15")),
    (FRENCH, ("cp1252", "mac-roman", "cp850")),
    (RUSSIAN, ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic")),
    (UKRAINIAN, ("cp1251", "koi8-u", "mac-cyrillic")),
    (GREEK, ("cp1253", "iso8859-7")),
    (TURKISH, ("cp1254", "iso8859-9")),
]


def sample_of(content: bytes, piece: int = 1 << 20) -> Sample:
    sample = Sample()
    for start in range(0, len(content), piece):
        sample.add(content[start : start + piece])
    sample.end()
    return sample


@pytest.mark.parametrize(
    ("text", "encoding"), [(text, encoding) for text, all_ in WRITTEN for encoding in all_]
)
def test_a_price_list_in_a_code_page_reads_as_it_was_written(text: str, encoding: str) -> None:
    content = text.encode(encoding)
    assert content.decode(recognise(sample_of(content))) == text


def test_letters_late_in_a_file_count() -> None:
    plain = "B;C62;EUR;9;Dübel\n" * 20_000
    content = (plain + POLISH).encode("cp1250")
    assert recognise(sample_of(content, piece=65_536)) == "cp1250"


@pytest.mark.parametrize("letters", ["Śruba M8", "Ø12"])
def test_a_few_letters_are_asked_about(letters: str) -> None:
    content = f"A;C62;PLN;12,50;{letters}\n".encode("cp1250" if "Ś" in letters else "cp1252")
    with pytest.raises(Unclear) as asked:
        recognise(sample_of(content))
    readings = {each.encoding: each.line for each in asked.value.readings}
    assert len(set(readings.values())) > 1
    assert letters in " ".join(readings.values())


def test_an_earlier_answer_decides_only_what_is_unclear() -> None:
    few = sample_of("A;C62;PLN;12,50;Śruba M8\n".encode("cp1250"))
    assert recognise(few, remembered="cp1250") == "cp1250"
    russian = sample_of(RUSSIAN.encode("koi8-r"))
    assert recognise(russian, remembered="cp1251") == "koi8-r"


def test_a_few_broken_rows_are_no_other_encoding_and_a_mixture_is_refused() -> None:
    good = GERMAN.encode() * 3
    assert recognise(sample_of(good + GERMAN.encode("cp1252"))) == "utf-8"
    with pytest.raises(Unclear) as asked:
        recognise(sample_of(RUSSIAN.encode("cp1251") * 9 + RUSSIAN.encode()))
    assert [each.encoding for each in asked.value.readings[:2]] == ["utf-8", "cp1251"]


def test_a_row_that_might_be_utf8_too_is_no_mixture() -> None:
    volts = "C;C62;RUB;9;220В±10 %\n".encode("cp1251")  # noqa: RUF001
    assert volts.decode()
    assert recognise(sample_of(RUSSIAN.encode("cp1251") * 9 + volts)) == "cp1251"


@pytest.mark.parametrize(
    ("content", "encoding", "proven"),
    [
        (b"sku,price\nA,1\n", "utf-8", False),
        ("sku,name\nA,Ü\n".encode(), "utf-8", True),
        ("sku,name\nA,Ü\n".encode("utf-8-sig"), "utf-8", True),
        ("sku,name\nA,Ü\n".encode("utf-16"), "utf-16-le", True),
        ("sku,name\nA,Насос\n".encode("utf-16-be"), "utf-16-be", True),  # noqa: RUF001
        ("sku,name\nA,Насос\n".encode("utf-16-le"), "utf-16-le", True),  # noqa: RUF001
        ("sku,name\nA,Ü\n".encode("utf-32"), "utf-32-le", True),
    ],
)
def test_utf_is_seen_at_once(content: bytes, encoding: str, proven: bool) -> None:
    found = beginning(content)
    assert (found.encoding, found.proven) == (encoding, proven)
    assert content[found.bom_bytes :].decode(encoding).startswith("sku")


def test_other_bytes_are_never_taken_for_utf8() -> None:
    with pytest.raises(Unrecognised):
        beginning(GERMAN.encode("cp1252"))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("windows-1250", "cp1250"),
        ("Latin2", "iso8859-2"),
        ("UTF8", "utf-8"),
        ("KOI8-R", "koi8-r"),
        ("macintosh", "mac-roman"),
        ("gbk", None),
        ("idna", None),
        ("unicode_escape", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_encodings_by_their_usual_names(name: str, known: str | None) -> None:
    assert canonical(name) == known


def test_a_named_utf16_takes_its_byte_order_from_the_file() -> None:
    text = "sku,price\nA,1\n"
    assert named("utf-16", text.encode("utf-16-be")).encoding == "utf-16-be"
    assert named("utf-16", text.encode("utf-16"))[:2] == ("utf-16-le", 2)
