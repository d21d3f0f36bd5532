"""An agreement of a partner with the operator, and its life. Periods are half-open: `from` is in,
`to` is not.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from marketplace.kernel.money import Amount
from suppliers.programme.schemas.words import Decimals, Place, Word


class CpaBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The one action of a lead that is paid for."""

    action: Annotated[
        Literal["received", "completed", "contract"],
        Meta(description="What is paid for.", examples=["contract"]),
    ]
    amount: Annotated[Amount, Meta(description="What one is paid.")]


class PayoutBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How money reaches the partner."""

    asset: Annotated[
        str,
        Meta(min_length=3, max_length=12, description="A currency or `points`.", examples=["EUR"]),
    ]
    minimum: Annotated[
        Decimals, Meta(description="Less is carried over to the next run.", examples=["50.00"])
    ]
    hold_days: Annotated[
        int, Meta(ge=0, le=365, description="Days from a sale to its due time.", examples=[30])
    ]


class NewAgreement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft of the terms with one partner.

    programme_id  the programme whose tiers and rewards hold
    payout        how money reaches the partner
    region        a free word for where it works; null: anywhere, e.g. `north`
    segment       a free word for whom it serves; null: anybody, e.g. `industry`
    cpa           what is paid for leads; null: nothing
    """

    partner_id: Annotated[UUID, Meta(description="The partner's organisation.")]
    programme_id: UUID
    partner_type: Annotated[Word, Meta(description="Whose tiers count.", examples=["reseller"])]
    payout: PayoutBody
    begins: Annotated[datetime, Meta(description="In force from then on.")] = field(name="from")
    ends: Annotated[datetime | None, Meta(description="In force until then; null: open.")] = field(
        name="to", default=None
    )
    version: (
        Annotated[int, Meta(ge=1, description="Null: the newest published one.", examples=[1])]
        | None
    ) = None
    tier: Annotated[
        Word | None, Meta(description="Granted from the start, unearned.", examples=["silver"])
    ] = None
    region: Place | None = None
    segment: Place | None = None
    cpa: CpaBody | None = None


class PartyView(Struct, frozen=True):
    """A name with its id.

    name  as people call it, e.g. `Pumps Ltd`
    """

    id: UUID
    name: str


class AgreementView(Struct, frozen=True, kw_only=True):
    """The terms between the operator and one partner.

    partner       the organisation of the partner
    programme     the programme whose tiers and rewards hold
    partner_type  whose tiers count, e.g. `reseller`
    tier          the one that was approved; null: none yet, e.g. `gold`
    eligible      what the last evaluation found, a proposal only; null: none, e.g. `gold`
    cpa           what is paid for leads; null: nothing
    payout        how money reaches the partner
    actions       what the caller may do now, as the last part of the path reads, e.g. `["suspend",
                  "end"]`
    """

    id: Annotated[UUID, Meta(description="Of the agreement.")]
    partner: PartyView
    programme: PartyView
    version: Annotated[int, Meta(description="Which it keeps until it is moved.", examples=[1])]
    partner_type: str
    state: Annotated[
        str, Meta(description="`draft`, `active`, `suspended` or `ended`.", examples=["active"])
    ]
    tier: Annotated[str | None, Meta(description="Approved; null: none yet.")]
    eligible: Annotated[
        str | None, Meta(description="What the last evaluation found; only a proposal.")
    ]
    region: str | None
    segment: str | None
    begins: Annotated[datetime, Meta(description="In force from then on.")] = field(name="from")
    ends: Annotated[datetime | None, Meta(description="In force until then.")] = field(name="to")
    cpa: CpaBody | None
    payout: PayoutBody
    created_at: datetime
    actions: Annotated[list[str], Meta(description="What the caller may do now.")]


class AgreementPage(Struct, frozen=True):
    """Agreements, the newest first."""

    items: list[AgreementView]
    next_cursor: str | None = None


class Approval(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tier that is granted."""

    tier: Annotated[
        Word | None,
        Meta(
            description="One whose score suffices now; null takes the tier away.", examples=["gold"]
        ),
    ]
