"""How a partner stands: the figures, what is missing for the next tier, and the history."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct


class FactView(Struct, frozen=True, kw_only=True):
    """One thing behind a figure."""

    kind: Annotated[str, Meta(description="What it is.", examples=["order"])]
    id: Annotated[UUID, Meta(description="Of that thing.")]
    at: Annotated[datetime, Meta(description="When it counted from.")]
    title: Annotated[str, Meta(description="In words.", examples=["Pumps for plant 3"])]
    value: Annotated[str, Meta(description="What it adds.", examples=["1200.5"])]


class ValueView(Struct, frozen=True, kw_only=True):
    """One measure, as far as it was reached.

    period_days  counted so many days back; null: since ever, e.g. `365`
    """

    measure: str
    period_days: int | None
    value: Annotated[
        str | None, Meta(description="Null where there is nothing to measure.", examples=["50000"])
    ]
    facts: Annotated[list[FactView], Meta(description="The newest 100 behind it.")]


class GapView(Struct, frozen=True, kw_only=True):
    """What is missing to a target.

    period_days  counted so many days back; null: since ever, e.g. `365`
    """

    measure: str
    period_days: int | None
    distance: Annotated[
        str | None, Meta(description="From the value to the target.", examples=["1000"])
    ]


class NextView(Struct, frozen=True, kw_only=True):
    """The lowest tier above the present one.

    tier  its code, e.g. `gold`
    gaps  for each parameter that is not reached
    """

    tier: str
    missing: Annotated[int, Meta(description="Points missing to its threshold.", examples=[20])]
    gaps: list[GapView]


class StandingView(Struct, frozen=True, kw_only=True):
    """What a partner's figures reach at one moment.

    version   of the programme, which the agreement keeps, e.g. `1`
    tier      the one that was approved; null: none yet, e.g. `silver`
    scores    points of each tier of the partner's type, e.g. `{"silver": 60, "gold": 40}`
    eligible  the highest tier whose score suffices; null: none, e.g. `silver`
    values    everything that was measured, with what is behind it
    """

    at: Annotated[datetime, Meta(description="The moment it is judged at.")]
    version: int
    tier: Annotated[str | None, Meta(description="The approved one.")]
    scores: Annotated[dict[str, int], Meta(description="Of each tier of the partner's type.")]
    eligible: Annotated[str | None, Meta(description="The highest whose score suffices.")]
    next: Annotated[NextView | None, Meta(description="Null at the top.")]
    values: list[ValueView]


class SnapshotView(Struct, frozen=True, kw_only=True):
    """What an agreement granted from `at` on, and the figures behind it.

    at           from then on
    state        of the agreement, `draft`, `active`, `suspended` or `ended`, e.g. `active`
    version      of the programme, e.g. `1`
    tier_before  the former one; null: none, e.g. `silver`
    tier         the one from then on; null: none, e.g. `gold`
    standing     scores, values and reached parameters of that moment, e.g. `{"eligible": "gold",
                 "scores": {"gold": 60}}`
    """

    id: UUID
    at: datetime
    event: Annotated[str, Meta(description="What happened.", examples=["set_tier"])]
    state: str
    version: int
    tier_before: str | None
    tier: str | None
    author_id: Annotated[UUID | None, Meta(description="Null: by the passing of time.")]
    standing: Annotated[
        dict[str, Any], Meta(description="Scores, values and reached parameters of that moment.")
    ]


class SnapshotPage(Struct, frozen=True):
    """What was granted, the newest first."""

    items: list[SnapshotView]
    next_cursor: str | None = None
