"""The ledger on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

Asset = Annotated[str, Meta(description="ISO 4217 code, or `points`.", examples=["EUR"])]
Decimal = Annotated[
    str, Meta(description="Decimal text in units of the asset.", examples=["-1234.50"])
]
Time = Annotated[datetime, Meta(description="RFC 3339, UTC.", examples=["2026-12-01T00:00:00Z"])]


class LedgerAccountView(msgspec.Struct, frozen=True, kw_only=True):
    """One account. `balance` is the sum of its postings that the caller may see.

    balance  the sum of its postings that the caller may see, e.g. `1234.50`
    """

    id: Annotated[UUID, Meta(description="Follows from the other fields.")]
    owner_id: Annotated[UUID | None, Meta(description="Null: the operator.")]
    owner: Annotated[str | None, Meta(description="Name of the owner.", examples=["Pumps Ltd"])]
    kind: Annotated[
        str,
        Meta(
            description="`payable`, `paid`, `expense`, `clearing`, `fund_available`,"
            " `fund_reserved`, `fund_spent`, `points_pending`, `points` or `points_spent`.",
            examples=["payable"],
        ),
    ]
    asset: Asset
    ref: Annotated[str, Meta(description="A fund's id; else empty.", examples=[""])]
    balance: Decimal


class LedgerAccountPage(msgspec.Struct, frozen=True):
    """Accounts with their balances."""

    items: list[LedgerAccountView]
    next_cursor: str | None = None


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    """What an amount comes from.

    id  of that source, e.g. `0198c3f2-5a1e-7d3b-9c42-1f0e6a7b8c9d`
    """

    kind: Annotated[str, Meta(description="Kind of the source.", examples=["order"])]
    id: Annotated[str, Meta(description="Its id.")]
    title: Annotated[
        str | None,
        Meta(description="What was sold; null where it is no sale.", examples=["Spare pumps"]),
    ] = None


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """Why the amount is what it is; the same words for both sides."""

    kind: Annotated[str, Meta(description="Kind of the rule.", examples=["agreement"])]
    version: Annotated[int, Meta(description="Its version.", examples=[3])]
    text: Annotated[
        str,
        Meta(description="For people.", examples=["Network v3, tier gold: 10 % of the sale"]),
    ]


class PostedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account of a posting.

    kind  as in the list of accounts, e.g. `payable`
    """

    id: Annotated[UUID, Meta(description="Its id.")]
    owner_id: Annotated[UUID | None, Meta(description="Null: the operator.")]
    kind: Annotated[str, Meta(description="As in the list of accounts.", examples=["payable"])]
    asset: Asset


class PostingView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an entry; the lines of an entry sum to zero in each asset.

    account  where it goes
    amount   positive: the account grows, negative: it shrinks, e.g. `-1234.50`
    """

    account: PostedAccount
    amount: Decimal


class LedgerEntryView(msgspec.Struct, frozen=True, kw_only=True):
    """One event that moved money or points. Both sides see the same.

    source  the sale, order or whatever it comes from
    rule    why it is that much
    """

    id: Annotated[UUID, Meta(description="Its id.")]
    number: Annotated[int, Meta(description="Order of the ledger.", examples=[4711])]
    at: Time
    source: SourceView
    rule: RuleView
    reverses: Annotated[UUID | None, Meta(description="The entry whose effect it takes back.")]
    postings: Annotated[list[PostingView], Meta(description="Every line.")]


class LedgerEntryPage(msgspec.Struct, frozen=True):
    """Entries, the newest first."""

    items: list[LedgerEntryView]
    next_cursor: str | None = None


class AccrualView(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner earned, or what was taken back of it.

    source  the sale, order or whatever it was earned by
    rule    why it is that much
    """

    id: Annotated[UUID, Meta(description="Its id.")]
    number: Annotated[int, Meta(description="Order of the ledger.", examples=[12])]
    entry_id: Annotated[UUID, Meta(description="Its entry in the ledger.")]
    partner_id: Annotated[UUID, Meta(description="Who earned it.")]
    kind: Annotated[
        str,
        Meta(
            description="`commission`, `cpa`, `plan`, `work`, `fund_credit`, `points` and so on.",
            examples=["commission"],
        ),
    ]
    asset: Asset
    amount: Decimal
    state: Annotated[
        str,
        Meta(
            description="`held` until `due_at`, then `payable`; `in_payout`, `paid`. Fund credits"
            " and points are `credited`.",
            examples=["payable"],
        ),
    ]
    source: SourceView
    rule: RuleView
    at: Time
    due_at: Annotated[datetime, Meta(description="From when on it is paid out.")]
    reverses: Annotated[UUID | None, Meta(description="The accrual it takes back.")]
    payout_id: Annotated[UUID | None, Meta(description="The payout it stands in.")]


class AccrualPage(msgspec.Struct, frozen=True):
    """Accruals, the newest first."""

    items: list[AccrualView]
    next_cursor: str | None = None
