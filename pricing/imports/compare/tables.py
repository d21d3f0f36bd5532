"""The unlogged tables an upload is staged in, one set each.

s  checked rows · d  rows whose line exists already, merged with it · g  lines this upload ends ·
x  SKUs that are left as they are (`error` or `held`)
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import polars as pl


class Tables(NamedTuple):
    """Names of one upload's tables."""

    s: str
    d: str
    g: str
    x: str


def tables_of(import_id: UUID) -> Tables:
    return Tables(*(f"staging.{letter}_{import_id.hex}" for letter in "sdgx"))


def as_text(rows: pl.DataFrame) -> bytes:
    """A checked frame (columns STAGED) as COPY into s takes it."""
    signed = rows.with_columns(pl.col("fingerprint").reinterpret(signed=True))
    return signed.write_csv(include_header=False).encode()
