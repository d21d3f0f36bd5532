"""A programme: its measures, tiers with their parameters and rewards, and versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from suppliers.programme.schemas.words import Days, Decimals, MeasureCode, Name, Percent, Word


class MeasureView(Struct, frozen=True, kw_only=True):
    """Something that can be measured of a partner."""

    code: Annotated[str, Meta(description="Its stable name.", examples=["sales"])]
    unit: Annotated[
        str,
        Meta(
            description="What its values are: `money` in the programme's currency, `count`,"
            " `percent` or `points`.",
            examples=["money"],
        ),
    ]
    title: Annotated[str, Meta(description="In words.", examples=["Sales"])]
    feeds: Annotated[
        str, Meta(description="What feeds it.", examples=["What was won, less what was taken back"])
    ]


class MeasurePage(Struct, frozen=True):
    """Everything that can be measured."""

    items: list[MeasureView]
    next_cursor: str | None = None


class ParameterBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reached when the value is at least (or at most) the target; then its score counts."""

    measure: MeasureCode
    target: Decimals
    score: Annotated[int, Meta(ge=0, le=1_000_000, description="Points.", examples=[40])]
    period_days: Days | None = None
    direction: Annotated[
        Literal["at_least", "at_most"],
        Meta(description="Which side of the target is good.", examples=["at_least"]),
    ] = "at_least"


class RewardBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tier grants."""

    sale_percent: Annotated[Percent, Meta(description="Commission on a won sale, in percent.")]
    fund_percent: Annotated[
        Percent, Meta(description="What a won sale credits to the marketing fund, in percent.")
    ]
    points_per_major: (
        Annotated[
            Decimals, Meta(description="Points for each whole unit of currency.", examples=["0.5"])
        ]
        | None
    ) = None
    leads_priority: (
        Annotated[
            int, Meta(ge=0, le=1_000, description="Higher is offered leads first.", examples=[10])
        ]
        | None
    ) = None


class TierBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A level of the programme.

    reward  what it grants
    """

    code: Word
    partner_type: Annotated[
        Word, Meta(description="Which kind of partner it is for.", examples=["reseller"])
    ]
    threshold: Annotated[
        int,
        Meta(ge=0, le=1_000_000, description="Eligible from this score on.", examples=[60]),
    ]
    parameters: Annotated[
        list[ParameterBody], Meta(max_length=20, description="What is looked at.")
    ]
    reward: RewardBody


Tiers = Annotated[
    list[TierBody], Meta(min_length=1, max_length=20, description="Lowest first, of all types.")
]


class NewProgramme(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A programme; its version 1 is a draft."""

    name: Name
    currency: Annotated[
        str,
        Meta(
            min_length=3,
            max_length=3,
            description="ISO 4217; sales in others do not count.",
            examples=["EUR"],
        ),
    ]
    tiers: Tiers


class NewVersion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The next version of a programme, a draft."""

    tiers: Tiers


class VersionView(Struct, frozen=True, kw_only=True):
    """A version of a programme.

    tiers  lowest first, of all types
    """

    version: Annotated[int, Meta(description="Counted from 1.", examples=[1])]
    state: Annotated[
        str, Meta(description="`draft` or `published`; then it never changes.", examples=["draft"])
    ]
    tiers: list[TierBody]
    published_at: Annotated[datetime | None, Meta(description="Null while it is a draft.")]


class ProgrammeView(Struct, frozen=True, kw_only=True):
    """A partner programme with its versions.

    name      what people call it, e.g. `Partners`
    currency  ISO 4217, of every sum in it; sales in others do not count, e.g. `EUR`
    """

    id: Annotated[UUID, Meta(description="Of the programme.")]
    name: str
    currency: str
    versions: Annotated[
        list[VersionView], Meta(description="Newest first; a partner sees its own ones.")
    ]


class ProgrammePage(Struct, frozen=True):
    """Partner programmes."""

    items: list[ProgrammeView]
    next_cursor: str | None = None
