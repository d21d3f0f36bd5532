"""Documents on the wire."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class DocumentView(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a file.

    name     the file's name; the same name again is the next version, e.g. `drawing.pdf`
    version  counted by name, from 1, e.g. `2`
    """

    id: UUID
    name: str
    version: int
    media_type: str
    size_bytes: int
    sha256: str
    internal: bool
    created_at: datetime


class DocumentPage(msgspec.Struct, frozen=True):
    """Every version of every file the caller may read."""

    items: list[DocumentView]
    next_cursor: str | None = None
