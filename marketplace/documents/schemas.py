"""Documents on the wire."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class DocumentView(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a file. `internal` ones are read by the organisation they belong to alone."""

    id: UUID
    name: str
    version: int
    media_type: str
    size_bytes: int
    sha256: str
    internal: bool
    created_at: datetime


class DocumentPage(msgspec.Struct, frozen=True):
    items: list[DocumentView]
    next_cursor: str | None = None
