"""Codes and words of the catalogue: check digits, parents over gaps, likeness of names. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

SEARCH_WORDS_MAX = 10
WORD_CHARS_MAX = 40
LIKENESS_MIN = 70
"""Of 100; below that a name is no proposal."""

_WORD = re.compile(r"\w+")
_CODE_CHARS_MAX = 40


def is_gtin(text: str) -> bool:
    """Eight, twelve, thirteen or fourteen digits whose last is the check digit (GS1)."""
    if not (text.isascii() and text.isdigit() and len(text) in {8, 12, 13, 14}):
        return False
    weighted = sum(
        int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(text))
    )
    return weighted % 10 == 0


def parents(codes: Collection[str]) -> dict[str, str | None]:
    """Code → nearest broader code that exists. Lists have gaps: where the next broader one is
    missing, the one above it counts.

    Codes are digits that end in zeros the broader they are (CPV `03111000-2`, UNSPSC `26111500`);
    a check digit behind a hyphen is no part of the order.
    """
    by_digits = {code.partition("-")[0]: code for code in codes}
    return {code: _parent(code, by_digits) for code in codes}


def _parent(code: str, by_digits: Mapping[str, str]) -> str | None:
    digits = code.partition("-")[0]
    for keep in range(len(digits.rstrip("0")) - 1, 1, -1):
        broader = digits[:keep] + "0" * (len(digits) - keep)
        if broader != digits and broader in by_digits:
            return by_digits[broader]
    return None


def depths(tree: Mapping[str, str | None]) -> dict[str, int]:
    """Code → how many broader codes stand above it."""
    found: dict[str, int] = {}

    def depth(code: str) -> int:
        if code not in found:
            above = tree[code]
            found[code] = 0 if above is None else depth(above) + 1
        return found[code]

    for code in tree:
        depth(code)
    return found


def is_code(text: str) -> bool:
    return 0 < len(text) <= _CODE_CHARS_MAX and text.isprintable() and " " not in text


def words_of(query: str) -> list[str]:
    """Words to search for, lower case, at most SEARCH_WORDS_MAX."""
    folded = unicodedata.normalize("NFKC", query).casefold()
    return [word[:WORD_CHARS_MAX] for word in _WORD.findall(folded)][:SEARCH_WORDS_MAX]


def corrected(word: str, vocabulary: Sequence[str]) -> str | None:
    """The word of the vocabulary that was probably meant: at most one typing error for a short
    word, two for a long one (swapped neighbours count as one).
    """
    if len(word) < 3 or any(known.startswith(word) for known in vocabulary):
        return None
    allowed = 1 if len(word) <= 5 else 2
    found = process.extractOne(word, vocabulary, scorer=OSA.distance, score_cutoff=allowed)
    return None if found is None else str(found[0])


def most_alike(name: str, candidates: Iterable[tuple[str, str]]) -> tuple[str, int] | None:
    """(id, likeness of 100) of the candidate (id, name) whose name is most like `name`."""
    rated = [
        (int(fuzz.token_set_ratio(name.casefold(), n.casefold())), key) for key, n in candidates
    ]
    best = max(rated, default=(0, ""))
    return (best[1], best[0]) if best[0] >= LIKENESS_MIN else None
