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
    """A question to the buyer.

    text  the others read it with the answer, never who asked, e.g. `Are flanges included?`
    """

    text: Words


class NewAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer for everybody.

    answer    everybody who takes part reads it, e.g. `Yes, flanges after EN 1092-1.`
    question  how everybody reads the question, without what would name the asker; null: as it was
              asked, e.g. `Are flanges included?`
    """

    answer: Words
    question: Words | None = None


class QuestionView(msgspec.Struct, frozen=True):
    """A question and its answer.

    question     in the buyer's words once it is answered, e.g. `Are flanges included?`
    asked_at     when it was asked; null: another supplier asked
    answered_at  when everybody got the answer; null: it is open
    mine         whether the caller's organisation asked
    asked_by     for the buyer only: who asked; null for others
    """

    id: UUID
    question: str
    answer: str | None
    asked_at: datetime | None
    answered_at: datetime | None
    mine: bool
    asked_by: Party | None = None


class QuestionPage(msgspec.Struct, frozen=True):
    """Questions of a tender."""

    items: list[QuestionView]
    next_cursor: str | None = None


class NewAddendum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changes after publication, and why; what is left out stays, inside `delivery` too.
    Prices, lots and auction rules never change: that needs a new tender. `offers_due_at` and the
    starts of auctions only move later.

    text           why, as everybody reads it, e.g. `The delivery moves by a week.`
    title          another title, e.g. `400 pumps for Lyon`
    description    another text, e.g. `Wet rotor pumps, 180 mm.`
    delivery       what changes of it; what is left out stays
    offers_due_at  later than before
    lots           lots whose auctions begin later
    """

    text: Words
    title: Title | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    delivery: DeliveryChange | UnsetType = UNSET
    offers_due_at: datetime | UnsetType = UNSET
    lots: Annotated[list[MovedStart], Meta(max_length=LOTS_MAX)] = []


class MovedStart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lot whose auction begins at another time.

    id         of the lot
    starts_at  later than before
    """

    id: UUID
    starts_at: datetime


class AddendumView(msgspec.Struct, frozen=True):
    """A change after publication.

    number   counted by tender, from 1, e.g. `1`
    text     why it was made, e.g. `The delivery moves by a week.`
    changes  each field with what it was and is, e.g. `[{"field": "offers_due_at", "before":
             "2026-12-01T10:00:00Z", "after": "2026-12-08T10:00:00Z"}]`
    """

    number: int
    text: str
    changes: list[dict[str, Any]]
    created_at: datetime


class AddendumPage(msgspec.Struct, frozen=True):
    """Changes after publication."""

    items: list[AddendumView]
    next_cursor: str | None = None
