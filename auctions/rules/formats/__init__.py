"""The registry of formats: a new one is a file beside these and a line here.

A format that no log knows yet changes the meaning of none, so it needs no new version.
"""

from __future__ import annotations

from auctions.rules.parts.format import Format

from .dutch import DUTCH
from .english import ENGLISH
from .japanese import JAPANESE
from .last_word import LAST_WORD
from .rounds import ROUNDS
from .sealed import SEALED

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        ENGLISH,
        ROUNDS,
        SEALED,
        DUTCH,
        JAPANESE,
        LAST_WORD,
    )
}
"""By name, in the order in which they are offered."""

DEFAULT = ENGLISH
"""Of rules that name no format."""

__all__ = ["DEFAULT", "FORMATS", "Format"]
