"""Pseudonyms of bidders: two readable words, drawn at random, so that they tell nothing of order
or name.
"""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path

import msgspec

_FILE = Path(__file__).with_name("aliases.json")


class Words(msgspec.Struct, frozen=True):
    adjectives: tuple[str, ...]
    nouns: tuple[str, ...]


@cache
def words() -> Words:
    return msgspec.json.decode(_FILE.read_bytes(), type=Words)


def draw_alias() -> str:
    """Such as `Amber Heron`. Whether it is still free in an auction is for the table to say."""
    lists = words()
    return f"{secrets.choice(lists.adjectives)} {secrets.choice(lists.nouns)}"
