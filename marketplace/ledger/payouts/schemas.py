"""Payouts on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from marketplace.kernel.money import Amount

Currency = Annotated[
    str, Meta(min_length=3, max_length=3, description="ISO 4217 code.", examples=["EUR"])
]
Reason = Annotated[
    str,
    Meta(min_length=1, max_length=1_000, description="Why, for people.", examples=["Wrong IBAN"]),
]
Time = Annotated[datetime, Meta(description="RFC 3339, UTC.", examples=["2026-12-01T00:00:00Z"])]
PartyName = Annotated[str, Meta(description="Name of the organisation.", examples=["Pumps Ltd"])]


class NewBankAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the caller's organisation is paid; the operator's own: from where it pays."""

    holder: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=70,
            description="As the bank knows the account's owner.",
            examples=["Pumps Ltd"],
        ),
    ]
    iban: Annotated[
        str,
        Meta(
            min_length=15,
            max_length=42,
            description="With or without blanks; its check digits are verified.",
            examples=["DE89 3704 0044 0532 0130 00"],
        ),
    ]
    bic: Annotated[
        str | None,
        Meta(description="Only where the bank asks for it.", examples=["COBADEFFXXX"]),
    ] = None


class BankAccountView(msgspec.Struct, frozen=True, kw_only=True):
    """The account that the next payout run takes."""

    holder: Annotated[str, Meta(description="Owner of the account.", examples=["Pumps Ltd"])]
    iban: Annotated[str, Meta(description="Without blanks.", examples=["DE89370400440532013000"])]
    bic: Annotated[str | None, Meta(description="Null: not needed.", examples=["COBADEFFXXX"])]
    changed_at: Time


class NewPayoutRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything unpaid that is due at `until`."""

    until: Time
    currency: Annotated[
        Currency | None, Meta(description="Only this currency; left out: every one.")
    ] = None
    dry_run: Annotated[
        bool, Meta(description="True: answer what the run would pay and write nothing.")
    ] = False


class TotalView(msgspec.Struct, frozen=True, kw_only=True):
    """Control total of one currency."""

    currency: Currency
    amount: Annotated[Amount, Meta(description="Sum of the payouts.")]
    count: Annotated[int, Meta(description="How many payouts.", examples=[120])]


class CarriedView(msgspec.Struct, frozen=True, kw_only=True):
    """What is due and not paid: below the minimum, or negative. The next run takes it again."""

    partner_id: Annotated[UUID, Meta(description="The partner.")]
    partner: PartyName
    amount: Annotated[Amount, Meta(description="Negative: the partner owes it.")]
    items: Annotated[int, Meta(description="How many accruals.", examples=[3])]
    minimum: Annotated[Amount, Meta(description="The agreement's minimum.")]


class PayoutView(msgspec.Struct, frozen=True, kw_only=True):
    """One partner and currency of a run."""

    id: Annotated[UUID | None, Meta(description="Null in a dry run.")]
    run_id: Annotated[UUID | None, Meta(description="Null in a dry run.")]
    number: Annotated[int, Meta(description="Within the run, from 1.", examples=[1])]
    partner_id: Annotated[UUID, Meta(description="Who is paid.")]
    partner: PartyName
    amount: Annotated[Amount, Meta(description="The sum of its accruals.")]
    items: Annotated[int, Meta(description="How many accruals.", examples=[12])]
    state: Annotated[
        str,
        Meta(
            description="`proposed`, `approved`, `paid`, `failed` or `cancelled`.",
            examples=["approved"],
        ),
    ]
    holder: Annotated[
        str | None, Meta(description="Owner of the bank account.", examples=["Pumps Ltd"])
    ]
    iban: Annotated[
        str | None,
        Meta(
            description="Null: the partner has named no account.",
            examples=["DE89370400440532013000"],
        ),
    ]
    last: Annotated[
        Amount | None,
        Meta(description="The payment before this one in the same currency; null: the first."),
    ]
    account_changed: Annotated[
        bool, Meta(description="The last payout to this partner went to another account.")
    ]
    paid_at: Annotated[datetime | None, Meta(description="When the bank paid.")]
    reference: Annotated[str | None, Meta(description="The bank's reference.", examples=["X-1"])]
    failure: Annotated[str | None, Meta(description="Why it failed.", examples=["Wrong IBAN"])]


class PayoutPage(msgspec.Struct, frozen=True):
    """Payouts."""

    items: list[PayoutView]
    next_cursor: str | None = None


class PayoutRunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run in the list."""

    id: Annotated[UUID | None, Meta(description="Null in a dry run.")]
    number: Annotated[
        int | None, Meta(description="Without gaps; null in a dry run.", examples=[12])
    ]
    until: Time
    currency: Annotated[str | None, Meta(description="Null: every currency.")]
    state: Annotated[
        str,
        Meta(
            description="`proposed`, `approved`, `cancelled`; `dry_run`: nothing was written.",
            examples=["proposed"],
        ),
    ]
    author_id: Annotated[UUID, Meta(description="The maker, who may not approve.")]
    created_at: Time
    checked_by: Annotated[UUID | None, Meta(description="Who approved or cancelled.")]
    checked_at: Annotated[datetime | None, Meta(description="When.")]
    totals: Annotated[list[TotalView], Meta(description="One for each currency.")]


class PayoutRunPage(msgspec.Struct, frozen=True):
    """Payout runs, the newest first."""

    items: list[PayoutRunRow]
    next_cursor: str | None = None


class LeftOutView(msgspec.Struct, frozen=True, kw_only=True):
    """A payout of the run before whose partner gets nothing this time."""

    partner_id: Annotated[UUID, Meta(description="The partner.")]
    partner: PartyName
    amount: Annotated[Amount, Meta(description="What it got then.")]


class RunBeforeView(msgspec.Struct, frozen=True, kw_only=True):
    """The last approved run of the same currencies, to compare with."""

    id: Annotated[UUID, Meta(description="Of that run.")]
    number: Annotated[int, Meta(description="Of that run.", examples=[11])]
    totals: Annotated[list[TotalView], Meta(description="One for each currency.")]
    left_out: Annotated[
        list[LeftOutView], Meta(description="Who was paid then and is not now; the first 200.")
    ]


class PayoutRunView(PayoutRunRow, frozen=True, kw_only=True):
    """A run with its first payouts, and what is carried over now."""

    payouts: Annotated[
        list[PayoutView],
        Meta(description="The first 200; `GET …/payouts` lists all."),
    ]
    carried: Annotated[
        list[CarriedView],
        Meta(description="Due at `until` and in no payout, as of now; the first 200."),
    ]
    before: Annotated[
        RunBeforeView | None, Meta(description="What to compare with; null: nothing yet.")
    ] = None


class Paid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bank has paid."""

    at: Time
    reference: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=140,
            description="The bank's reference, for the partner too.",
            examples=["2026-12-01/000123"],
        ),
    ]


class Failed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bank has not paid: everything in the payout is payable again."""

    reason: Reason
