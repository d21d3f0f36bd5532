"""The one page of a partner, totals along the hierarchy, and reports."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from suppliers.programme.schemas.agreements import AgreementView
from suppliers.programme.schemas.certificates import CertificateView
from suppliers.programme.schemas.plans import PlanView
from suppliers.programme.schemas.programmes import RewardBody, TierBody
from suppliers.programme.schemas.standing import SnapshotView, StandingView


class TotalView(Struct, frozen=True, kw_only=True):
    """One measure since ever.

    title  in words, e.g. `Sales`
    value  a decimal text in the unit of the measure; null: nothing to measure, e.g. `120500`
    """

    measure: str
    title: str
    value: str | None


class MineView(Struct, frozen=True, kw_only=True):
    """The partner's one page. Every figure can be opened: `standing` names the facts behind it.

    agreement     the terms
    standing      what the figures reach now
    certificates  of the partner's people
    history       what was granted, the newest first
    """

    agreement: AgreementView
    standing: StandingView
    reward: Annotated[RewardBody | None, Meta(description="Of the approved tier.")]
    tiers: Annotated[list[TierBody], Meta(description="Of the partner's type, lowest first.")]
    certificates: list[CertificateView]
    plan: Annotated[PlanView | None, Meta(description="The agreed one of this moment.")]
    totals: Annotated[list[TotalView], Meta(description="Each measure since ever.")]
    history: list[SnapshotView]


class NodeView(Struct, frozen=True, kw_only=True):
    """One organisation of a hierarchy.

    name   of the organisation, e.g. `Pumps Group`
    total  with everything under it; null: figures of this measure do not add up, e.g. `4800`
    """

    id: UUID
    name: str
    parent_id: Annotated[UUID | None, Meta(description="Null at the top of what was asked for.")]
    level: Annotated[int, Meta(description="Levels below the top.", examples=[0])]
    region: str | None
    segment: str | None
    own: Annotated[str | None, Meta(description="Its own figure.", examples=["1200.5"])]
    total: Annotated[
        str | None,
        Meta(description="With everything under it; null where figures do not add up."),
    ]


class SubtreeView(Struct, frozen=True, kw_only=True):
    """One measure of an organisation and of everything under it."""

    measure: str
    items: Annotated[list[NodeView], Meta(description="From the top down.")]


class ColumnView(Struct, frozen=True, kw_only=True):
    """A column of a report."""

    name: Annotated[str, Meta(description="Stable.", examples=["amount"])]
    title: Annotated[str, Meta(description="In words.", examples=["Amount"])]


class ReportView(Struct, frozen=True, kw_only=True):
    """A table; the CSV holds exactly these rows and totals.

    rows    cells in the order of the columns, e.g. `[["north", "1200.50"]]`
    totals  one line for each currency, as nothing is converted, e.g. `[["EUR", "1200.50"]]`
    """

    columns: list[ColumnView]
    rows: Annotated[list[list[str | None]], Meta(description="Cells in the order of the columns.")]
    totals: Annotated[
        list[list[str | None]], Meta(description="One line a currency: nothing is converted.")
    ]
    complete: Annotated[bool, Meta(description="False: there is more than one report may hold.")]
