"""Units in people's words mean codes of the UN/ECE list; nothing is guessed."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from marketplace.kernel import units
from marketplace.kernel.units import code_of, fold
from marketplace.kernel.units.table import WORDS


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("H87", "шт шт. ШТ szt szt. buc buc. Stk Stk. STK Stück pcs Pcs. ks db kom pz pza ud adet"),
        ("C62", "C62 c62 item unit"),
        ("KGM", "kg KG Kg. кг KGS KGM kgm"),
        ("MTK", "m² m2 M2 qm кв.м mq"),
        ("MTQ", "m³ m3 cbm м3"),
        ("MTR", "m м mb lfm MTR"),
        ("LTR", "l L litr л"),
        ("PR", "пара para Paar pereche paio PR"),
        ("XBX", "box XBX BX bx коробка scatola cutie"),
        ("XCT", "CTN karton картон cartone"),
        ("XPK", "уп. opak. pachet confezione PK"),
        ("XRO", "rolka рулон rulou rotolo RO"),
        ("SET", "kpl. компл zestaw SET"),
        ("TNE", "t т тонна tona"),
    ],
)
def test_words_of_many_languages(code: str, words: str) -> None:
    assert {word: code_of(word) for word in words.split()} == dict.fromkeys(words.split(), code)


@pytest.mark.parametrize(
    "text",
    ["", " ", "furlongs", "QQQ", "С62", "1", "kgm2x", "x" * 1_000, "=C62", "m\x00"],  # noqa: RUF001
)
def test_what_means_no_unit(text: str) -> None:
    assert code_of(text) is None
    assert [error.code for error in units.unit_errors("unit", text)] == ["unknown_unit"]


def test_every_code_means_itself_and_no_word_means_two_units() -> None:
    assert all(code_of(code) == code for code in units.CODES)
    meant: dict[str, str] = {}
    for code, words in WORDS.items():
        assert code in units.UNITS
        for word in words.split():
            assert meant.setdefault(fold(word), code) == code, word
    assert set(units.UNITS) <= units.CODES


def test_conversions_have_one_base_each() -> None:
    for unit in units.UNITS.values():
        if unit.base is not None:
            base = units.UNITS[unit.base]
            assert (base.base, base.factor) == (unit.base, 1)
            assert unit.factor is not None
            assert unit.factor > 0
    assert units.UNITS["DZN"].factor == 12
    assert units.UNITS["GRM"].factor == Decimal("0.001")
    assert units.unit_of("2N") == units.Unit("2N", "2N")


def test_the_published_list_says_the_same(repository: Path) -> None:
    file = repository.parent / "shared" / "vectors" / "classifications" / "unit_codes_all.json.gz"
    if not file.exists():
        pytest.skip("the published list is not beside this checkout")
    published = {
        code: entry["name"].casefold()
        for code, entry in json.loads(gzip.decompress(file.read_bytes())).items()
    }
    for code, unit in units.UNITS.items():
        if code in published:
            first = unit.name.casefold().split(" (")[0]
            assert published[code].startswith(first), (code, unit.name, published[code])
    # What newer revisions withdrew is not ours; of every four codes at least three are known.
    known = [code for code in published if code_of(code) is not None]
    assert len(known) * 4 >= len(published) * 3
