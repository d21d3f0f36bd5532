"""What an upload is compared with, and what comes of it."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import msgspec

from pricing.imports.rules import Mode


class Subject(NamedTuple):
    """The list an upload changes, as it was when validation began."""

    list_no: int
    supplier_id: UUID
    version: int
    lines: int
    skus: int
    mode: Mode
    hold_change_percent: Decimal
    accepts_held: bool


class Report(msgspec.Struct, kw_only=True):
    """What publishing would do. Counts of rows unless named otherwise."""

    staged: int = 0
    reading: str = ""
    sorted: bool = False
    merged: bool = False
    added: int = 0
    changed: int = 0
    same: int = 0
    known: int = 0
    rejected: int = 0
    held: int = 0
    ended_lines: int = 0
    removed_lines: int = 0
    removed_skus: int = 0
    former_skus: int = 0
    skus: int = 0
    clean: bool = True
    """Every row of the file became, or stayed, a line: the file's fingerprints are the list's."""

    @property
    def nothing_changes(self) -> bool:
        return not (self.added or self.changed or self.ended_lines)
