"""Which language a person reads, and how dates and money look in it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal
from babel.support import NullTranslations, Translations

from marketplace.kernel.money import Amount, Money

CATALOGUES = Path(__file__).parent / "locale"
SOURCE_LANGUAGE = "en"
ACCEPT_CHARS_MAX = 500
# CLDR's currency spacing (UTS #35, part 3), which browsers apply and Babel does not.
_CODE_BEFORE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")


class Language:
    """Texts, dates and money of one locale. Times are told in UTC; the page turns them local."""

    def __init__(self, locale: Locale, texts: NullTranslations) -> None:
        self.locale = locale
        self.gettext: Callable[[str], str] = texts.gettext
        self.ngettext: Callable[[str, str, int], str] = texts.ngettext
        self.texts = texts
        self.tag = "-".join(filter(None, [locale.language, locale.script, locale.territory]))

    def money(self, value: Money | Amount) -> str:
        """`€412,250.00`, `UAH 0.0123`: at least the decimals of the currency, never rounded."""
        amount = value.wire() if isinstance(value, Money) else value
        shown = format_currency(
            Decimal(amount.amount),
            amount.currency,
            locale=self.locale,
            decimal_quantization=False,
        )
        return _CODE_BEFORE_DIGIT.sub("\N{NO-BREAK SPACE}", shown)

    def amount(self, text: str, asset: str) -> str:
        """Of the ledger: `€12.50`, or `120 points`."""
        if asset != "points":
            return self.money(Amount(text, asset))
        return self.gettext("%(number)s points") % {"number": self.number(text)}

    def number(self, value: int | str | Decimal) -> str:
        return format_decimal(Decimal(value), locale=self.locale)

    def day(self, when: date) -> str:
        """`Dec 1, 2026`."""
        return format_date(when, "medium", locale=self.locale)

    def datetime(self, when: datetime) -> str:
        """`Dec 1, 2026, 10:00 UTC`."""
        shown = format_datetime(when, "medium", tzinfo=None, locale=self.locale)
        return f"{shown} UTC"

    def language_name(self, code: str) -> str:
        """`de` → `German`; a code that is no language stays itself."""
        return str(self.locale.languages.get(code, code))

    def module_texts(self) -> dict[str, str]:
        """What the TypeScript modules need; empty in the source language, where keys are texts."""
        known = getattr(self.texts, "_catalog", {})
        return {key: text for key, text in known.items() if isinstance(key, str) and key and text}


def available() -> list[str]:
    """Language codes there is a catalogue for, the source language first."""
    found = sorted(path.name for path in CATALOGUES.glob("*/") if (path / "messages.po").exists())
    return [SOURCE_LANGUAGE, *found]


@cache
def language(code: str) -> Language:
    """The language `code`, a BCP 47 tag such as `en` or `de-AT`; texts by its first part."""
    locale = Locale.parse(code, sep="-")
    path = CATALOGUES / locale.language / "messages.po"
    if not path.exists():
        return Language(locale, NullTranslations())
    compiled = io.BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=locale.language))
    compiled.seek(0)
    return Language(locale, Translations(compiled))


def choose(accept_language: str, preferred: str | None = None) -> Language:
    """The best known language for `Accept-Language`; the person's own choice comes first."""
    known = available()
    wishes = [preferred] if preferred else []
    for tag in [*wishes, *_wished(accept_language[:ACCEPT_CHARS_MAX])]:
        if tag.split("-")[0].lower() in known and _is_locale(tag):
            return language(tag)
    return language(SOURCE_LANGUAGE)


def _wished(header: str) -> Iterable[str]:
    """Tags of an Accept-Language header (RFC 9110, 12.5.4), the most wanted first."""
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")):
        tag, _, weight = part.strip().partition(";q=")
        weighed.append((-_quality(weight), place, tag.strip()))
    return [tag for quality, _, tag in sorted(weighed) if tag and tag != "*" and quality < 0]


def _quality(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


def _is_locale(tag: str) -> bool:
    try:
        Locale.parse(tag, sep="-")
    except (ValueError, LookupError):
        return False
    return True
