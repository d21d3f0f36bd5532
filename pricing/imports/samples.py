"""What the first bytes of a text file say: its dialect, and the numbers people wrote into it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pricing.imports.dialect import SAMPLE_BYTES, Dialect, Unreadable, csv_numbers, detect
from pricing.imports.reading import json_numbers
from pricing.imports.rules import Format


def text_numbers(kind: Format, first: bytes, dialect: Dialect) -> Iterable[str]:
    if kind == "csv":
        return csv_numbers(first[:SAMPLE_BYTES], dialect)
    return json_numbers(first[:SAMPLE_BYTES], dialect.columns)


def text_dialect(kind: Format, first: bytes, *, whole: bool) -> Dialect:
    if kind == "csv":
        return detect(first[:SAMPLE_BYTES], whole=whole and len(first) <= SAMPLE_BYTES)
    names: dict[str, None] = {}
    for line in first[:SAMPLE_BYTES].removeprefix(b"\xef\xbb\xbf").split(b"\n")[:200]:
        try:
            found = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(found, dict):
            names.update(dict.fromkeys(found))
    if not names:
        raise Unreadable("not_jsonl", "The file does not begin with a JSON object per line.")
    return Dialect(header=tuple(names))
