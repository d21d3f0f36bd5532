"""Languages, dates and money of the pages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from marketplace.kernel.money import Amount, Money
from web import translate
from web.translate import choose, language

CATALOGUE = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"
msgid "Log in"
msgstr "Anmelden"
msgid "%(num)s lot"
msgid_plural "%(num)s lots"
msgstr[0] "%(num)s Los"
msgstr[1] "%(num)s Lose"
"""


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "de"
    folder.mkdir()
    (folder / "messages.po").write_text(CATALOGUE, encoding="utf-8")
    monkeypatch.setattr(translate, "CATALOGUES", tmp_path)
    language.cache_clear()


@pytest.mark.usefixtures("german")
def test_the_most_wanted_known_language_wins() -> None:
    assert choose("fr;q=0.9, de-AT;q=0.8, en;q=0.1").tag == "de-AT"
    assert choose("de").gettext("Log in") == "Anmelden"
    assert choose("de").ngettext("%(num)s lot", "%(num)s lots", 2) == "%(num)s Lose"
    assert choose("de").module_texts()["Log in"] == "Anmelden"
    assert choose("fr").tag == "en"
    assert choose("en", preferred="de").tag == "de"
    language.cache_clear()


@pytest.mark.parametrize(
    "header", ["", "*", ";;;q=", "de;q=abc", "x" * 10_000, "zz-ZZ", "en_US", "../../etc", "de;q=0"]
)
def test_nonsense_reads_as_english(header: str) -> None:
    assert choose(header).locale.language == "en"


def test_money_keeps_every_digit() -> None:
    english = choose("en-GB")
    assert english.money(Money(2**53 - 1, "EUR")) == "€90,071,992,547,409.91"
    assert english.money(Amount("1500", "JPY")) == "JP¥1,500"
    assert english.money(Amount("1.005", "KWD")).endswith("1.005")


def test_a_currency_code_keeps_its_distance_as_browsers_write_it() -> None:
    english = choose("en")
    assert english.money(Amount("480000", "UAH")) == "UAH\N{NO-BREAK SPACE}480,000.00"
    assert english.money(Amount("-1", "CHF")) == "-CHF\N{NO-BREAK SPACE}1.00"


def test_times_name_their_zone() -> None:
    assert choose("en-GB").datetime(datetime(2026, 12, 1, 10, tzinfo=UTC)).endswith("10:00:00 UTC")
