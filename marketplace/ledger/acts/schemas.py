"""Acts on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from marketplace.kernel.money import Amount
from marketplace.ledger.payouts.schemas import Reason, TotalView
from marketplace.ledger.schemas import RuleView, SourceView

Period = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$",
        description="A month: everything accrued before its end that stands on no act yet.",
        examples=["2026-11"],
    ),
]


class NewActRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The month whose acts are made. Asked again, it makes acts of what came since."""

    period: Period


class ActRunView(msgspec.Struct, frozen=True, kw_only=True):
    """The acts of one month and how far they are."""

    id: Annotated[UUID, Meta(description="One for each month.")]
    period: Period
    state: Annotated[
        str,
        Meta(description="`queued`, `numbering`, `rendering` or `done`.", examples=["done"]),
    ]
    acts: Annotated[int, Meta(description="How many have a number.", examples=[2000])]
    rendered: Annotated[int, Meta(description="How many of these are files.", examples=[1200])]
    totals: Annotated[
        list[TotalView],
        Meta(description="Control totals by currency; credit notes count negative."),
    ]
    created_at: Annotated[datetime, Meta(description="When it was first asked for.")]
    started_at: Annotated[datetime | None, Meta(description="When a worker began.")]
    ended_at: Annotated[datetime | None, Meta(description="When the last file was made.")]


class ActRunPage(msgspec.Struct, frozen=True):
    """Months, the newest first."""

    items: list[ActRunView]
    next_cursor: str | None = None


class PartyOnAct(msgspec.Struct, frozen=True, kw_only=True):
    """As it was when the act was issued."""

    name: Annotated[str, Meta(description="Name.", examples=["Pumps Ltd"])]
    country: Annotated[str, Meta(description="ISO 3166-1.", examples=["DE"])]
    tax_id: Annotated[str, Meta(description="Tax number.", examples=["DE123456789"])]


class ActRow(msgspec.Struct, frozen=True, kw_only=True):
    """An act in the list."""

    id: Annotated[UUID, Meta(description="Its id.")]
    number: Annotated[str, Meta(description="Without gaps.", examples=["SB-2026-00001"])]
    period: Period
    partner_id: Annotated[UUID, Meta(description="Whose it is.")]
    kind: Annotated[
        int,
        Meta(
            description="UNTDID 1001: 389 self-billed invoice, 261 self-billed credit note.",
            examples=[389],
        ),
    ]
    self_billing: Annotated[
        bool, Meta(description="False: a statement, because self-billing was not agreed.")
    ]
    title: Annotated[
        str, Meta(description="In the partner's language.", examples=["Self-billed invoice"])
    ]
    total: Annotated[Amount, Meta(description="Never negative; a credit note turns the signs.")]
    state: Annotated[
        str, Meta(description="`issued`, `accepted` or `disputed`.", examples=["issued"])
    ]
    reason: Annotated[str | None, Meta(description="Why it is disputed.")]
    issued_at: Annotated[datetime, Meta(description="When it got its number.")]
    accept_by: Annotated[datetime, Meta(description="Unanswered until then it is accepted.")]
    sha256: Annotated[str | None, Meta(description="Of the PDF; null until it is rendered.")]


class ActLineView(msgspec.Struct, frozen=True, kw_only=True):
    """One accrual.

    source  the sale, order or whatever it was earned by
    rule    why it is that much
    """

    position: Annotated[int, Meta(description="From 1.", examples=[1])]
    accrual_id: Annotated[UUID, Meta(description="The accrual, on no other act.")]
    entry_id: Annotated[UUID, Meta(description="Its entry in the ledger.")]
    source: SourceView
    rule: RuleView
    amount: Annotated[Amount, Meta(description="Signed as on the act.")]


class ActView(ActRow, frozen=True, kw_only=True):
    """An act with its lines; their sum is its total."""

    seller: Annotated[PartyOnAct, Meta(description="The partner.")]
    buyer: Annotated[PartyOnAct, Meta(description="The operator, who issued it.")]
    lines: Annotated[list[ActLineView], Meta(description="In the order of the ledger.")]


class ActPage(msgspec.Struct, frozen=True):
    """Acts, the newest first."""

    items: list[ActRow]
    next_cursor: str | None = None


class Dispute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with the act."""

    reason: Reason


class BillingBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the caller's organisation gets its acts."""

    self_billing: Annotated[
        bool,
        Meta(
            description="True: the partner agrees that the operator issues its invoices. False:"
            " acts are statements."
        ),
    ]
    language: Annotated[
        Literal["de", "en", "pl", "ro", "ru"],
        Meta(description="Language of the acts.", examples=["pl"]),
    ] = "en"
