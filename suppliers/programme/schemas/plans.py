"""Individual plans: targets, what was reached, rewards."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, field

from marketplace.kernel.money import Amount
from suppliers.programme.schemas.agreements import PartyView
from suppliers.programme.schemas.words import Decimals, MeasureCode


class TargetBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be reached."""

    measure: MeasureCode
    target: Annotated[Decimals, Meta(description="More than 0.")]


class NewPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An individual plan, a draft of the caller's side."""

    agreement_id: UUID
    targets: Annotated[
        list[TargetBody], Meta(min_length=1, max_length=20, description="Each measure once.")
    ]
    payout_formula: Annotated[
        str,
        Meta(
            max_length=10_000,
            description="In the formula language; inputs are each measure by its code and its"
            " target as `CODE_target`. The result is money of the programme's currency.",
            examples=["sales * 0.02 if sales >= sales_target else 0"],
        ),
    ]
    begins: Annotated[datetime, Meta(description="Counts from then on.")] = field(name="from")
    ends: Annotated[datetime, Meta(description="Counts until then.")] = field(name="to")


class TargetView(Struct, frozen=True, kw_only=True):
    """One target, and what is there of it.

    target  a decimal text in the unit of the measure, e.g. `50000`
    now     what is there now; null: there is nothing to measure, e.g. `30750`
    """

    measure: str
    target: str
    now: Annotated[str | None, Meta(description="Null where there is nothing to measure.")]
    percent: Annotated[str | None, Meta(description="Of the target.", examples=["61.5"])]


class PlanView(Struct, frozen=True, kw_only=True):
    """The same bytes for both sides.

    partner  the organisation of the partner
    begins   counts from then on
    ends     counts until then
    targets  what is to be reached, and what is there of it
    formula  in the formula language; its result is money of the programme's currency, e.g. `sales *
             0.02 if sales >= sales_target else 0`
    inputs   what the formula is computed with now, e.g. `{"sales": "30750", "sales_target":
             "50000"}`
    reason   why it was declined; null: it was not, e.g. `Too high for us`
    """

    id: UUID
    agreement_id: UUID
    partner: PartyView
    proposed_by: Annotated[UUID, Meta(description="The side that wrote it.")]
    state: Annotated[
        str, Meta(description="`draft`, `proposed`, `agreed` or `declined`.", examples=["agreed"])
    ]
    begins: datetime = field(name="from")
    ends: datetime = field(name="to")
    targets: list[TargetView]
    payout_now: Annotated[
        Amount | None, Meta(description="By the values of now; null where it has no result.")
    ]
    payout_at_plan: Annotated[Amount | None, Meta(description="With every target just reached.")]
    formula: str
    inputs: Annotated[
        dict[str, str | None], Meta(description="What the formula is computed with now.")
    ]
    reason: Annotated[str | None, Meta(description="Why it was declined.")]


class PlanPage(Struct, frozen=True):
    """Plans, the newest first."""

    items: list[PlanView]
    next_cursor: str | None = None
