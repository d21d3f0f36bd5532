"""Stored pieces of an upload, packed: a price file shrinks to an eighth, and then neither the way
to PostgreSQL nor its log nor its disk carries the rest.

zstd as Arrow streams have it, because the reader of columns is here anyway.
"""

from __future__ import annotations

from io import BytesIO

import polars as pl

_WORTH = 0.8
_COLUMN = "bytes"


def packed(data: bytes) -> bytes | None:
    """`data` as an Arrow stream of one binary cell, or None when it hardly shrinks."""
    stream = BytesIO()
    cell = pl.Series(_COLUMN, [data], pl.Binary)
    cell.to_frame().write_ipc_stream(stream, compression="zstd")
    return stream.getvalue() if stream.tell() < len(data) * _WORTH else None


def unpacked(data: bytes) -> bytes:
    """What `packed` was given."""
    whole: bytes = pl.read_ipc_stream(BytesIO(data))[_COLUMN][0]
    return whole
