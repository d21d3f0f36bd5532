"""What the texts about an auction are made of: templates that a catalogue may translate.

`Texts` are the translations of one language, as gettext has them; SOURCE leaves every text in
English. A template is the key of its translation, so values go in by name and after it.
"""

from __future__ import annotations

from collections.abc import Callable
from gettext import NullTranslations

import msgspec

from auctions.rules.core.parameters import Phase, Terms

Texts = NullTranslations
SOURCE = NullTranslations()

SECOND_US = 1_000_000


class Paragraph(msgspec.Struct, frozen=True):
    """One rule: what it is called, what it says, and an example with figures of this auction."""

    heading: str
    text: str
    example: str


Writer = Callable[[Terms, Phase, Texts], Paragraph | None]


def seconds(us: int) -> int | float:
    return us // SECOND_US if us % SECOND_US == 0 else us / SECOND_US


def duration(us: int, texts: Texts = SOURCE) -> str:
    """`90 seconds`, `20 minutes`, `2 hours`."""
    length = seconds(us)
    if length >= 3_600 and length % 3_600 == 0:
        hours = int(length // 3_600)
        return texts.ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}
    if length >= 60 and length % 60 == 0:
        minutes = int(length // 60)
        return texts.ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    # Half a second is no plural form of its own anywhere: it takes that of many.
    plural = length if isinstance(length, int) else 2
    return texts.ngettext("%(count)s second", "%(count)s seconds", plural) % {"count": length}


def sample_price(terms: Terms) -> int:
    """A price for examples: the ceiling, or 1,000 of the currency."""
    return terms.ceiling_minor or 1_000 * 10**terms.exponent
