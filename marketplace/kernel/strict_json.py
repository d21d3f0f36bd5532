"""What a JSON text may not be although every parser takes it (RFC 8259, 4 and 9).

Parsers differ in which of two equal keys counts, so a proxy, a log and we could each read another
price; and they recurse, so a few kilobytes of brackets end in an error of their own.
"""

from __future__ import annotations

import json
import re
from typing import Any

DEPTH_MAX = 64
"""Several times the depth of the deepest body of the API, and far from any parser's own limit."""

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


class RepeatedKey(ValueError):
    """An object names `key` twice, perhaps by way of an escape."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def is_too_deep(text: bytes) -> bool:
    """Whether arrays and objects stand more than DEPTH_MAX in one another. Never recurses."""
    if text.count(b"[") + text.count(b"{") <= DEPTH_MAX:
        return False
    depth = 0
    for match in _BRACKETS.finditer(text):
        sign = text[match.start()]
        if sign in b"[{":
            depth += 1
            if depth > DEPTH_MAX:
                return True
        elif sign in b"]}":
            depth -= 1
    return False


def repeated_key(text: bytes) -> str | None:
    """The first key that an object names twice. `text` must not be too deep; of one that is no
    JSON nothing is said.
    """
    try:
        json.loads(text.decode(), object_pairs_hook=_once, parse_int=str, parse_float=str)
    except RepeatedKey as repeated:
        return repeated.key
    except ValueError:
        pass
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise RepeatedKey(key)
            seen.add(key)
    return found
