"""Questions, answers and addenda on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from auctions.tenders.rules import LOTS_MAX
from auctions.tenders.schemas.tender import DeliveryChange, Party, Text, Title

WORDS_CHARS_MAX = 5_000
Words = Annotated[str, Meta(min_length=1, max_length=WORDS_CHARS_MAX)]


class NewQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: Words


class NewAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`question` is how everybody reads it: the buyer takes out what would name the asker."""

    answer: Words
    question: Words | None = None


class QuestionView(msgspec.Struct, frozen=True):
    """`asked_by` is for the buyer only; `mine` says the caller's organisation asked."""

    id: UUID
    question: str
    answer: str | None
    asked_at: datetime | None
    answered_at: datetime | None
    mine: bool
    asked_by: Party | None = None


class QuestionPage(msgspec.Struct, frozen=True):
    items: list[QuestionView]
    next_cursor: str | None = None


class NewAddendum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changes after publication, and why; what is left out stays, inside `delivery` too.
    Prices, lots and auction rules never change: that needs a new tender. `offers_due_at` and the
    starts of auctions only move later.
    """

    text: Words
    title: Title | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    delivery: DeliveryChange | UnsetType = UNSET
    offers_due_at: datetime | UnsetType = UNSET
    lots: Annotated[list[MovedStart], Meta(max_length=LOTS_MAX)] = []


class MovedStart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The auction of the lot `id` begins at `starts_at` instead."""

    id: UUID
    starts_at: datetime


class AddendumView(msgspec.Struct, frozen=True):
    """`changes`: `[{"field": "offers_due_at", "before": …, "after": …}]`."""

    number: int
    text: str
    changes: list[dict[str, Any]]
    created_at: datetime


class AddendumPage(msgspec.Struct, frozen=True):
    items: list[AddendumView]
    next_cursor: str | None = None
