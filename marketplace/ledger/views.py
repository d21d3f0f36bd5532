"""The ledger as it is shown: the same to both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries as accounts
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.kernel.money import exponent_of, format_minor
from marketplace.kernel.pages import Page
from marketplace.ledger import queries
from marketplace.ledger.models import Accrual, LedgerAccount, LedgerEntry
from marketplace.ledger.posting import POINTS
from marketplace.ledger.schemas import (
    AccrualPage,
    AccrualView,
    LedgerAccountPage,
    LedgerAccountView,
    LedgerEntryPage,
    LedgerEntryView,
    PostedAccount,
    PostingView,
    RuleView,
    SourceView,
)


def amount_text(minor: int, asset: str) -> str:
    """Points are whole; money has the decimals of its currency."""
    return str(minor) if asset == POINTS else format_minor(minor, exponent_of(asset))


async def list_accounts(
    session: AsyncSession, actor: Actor, owner: UUID | None, asset: str | None, page: Page
) -> LedgerAccountPage:
    """The caller's own accounts; the operator's people see those of every partner too."""
    mine = None if actor.operator else actor.organisation_id
    found = await queries.account_page(session, page, owner=owner or mine, asset=asset, mine=mine)
    shown, next_cursor = page.cut(found)
    return LedgerAccountPage(await _accounts(session, shown), next_cursor)


async def get_account(session: AsyncSession, actor: Actor, account_id: UUID) -> LedgerAccountView:
    """Raises NotFound."""
    return (await _accounts(session, [await _readable(session, actor, account_id)]))[0]


async def _readable(session: AsyncSession, actor: Actor, account_id: UUID) -> LedgerAccount:
    """An own account; any for the operator. Raises NotFound."""
    account = await queries.account(session, account_id)
    if account is None or (not actor.operator and account.owner_id != actor.organisation_id):
        raise NotFound("account")
    return account


async def _accounts(
    session: AsyncSession, shown: Sequence[LedgerAccount]
) -> list[LedgerAccountView]:
    ids = {row.owner_id for row in shown if row.owner_id is not None}
    names = await accounts.public_organisations(session, ids)
    sums = await queries.balances(session, [row.id for row in shown])
    return [
        LedgerAccountView(
            id=row.id,
            owner_id=row.owner_id,
            owner=names[row.owner_id].name if row.owner_id else None,
            kind=row.kind,
            asset=row.asset,
            ref=row.ref,
            balance=amount_text(sums.get(row.id, 0), row.asset),
        )
        for row in shown
    ]


async def list_entries(
    session: AsyncSession,
    actor: Actor,
    account_id: UUID,
    from_at: datetime | None,
    to_at: datetime | None,
    page: Page,
) -> LedgerEntryPage:
    """Entries of one account in `[from_at, to_at)`, newest first. Raises NotFound."""
    await _readable(session, actor, account_id)
    found = await queries.entry_page(session, page, account_id, from_at, to_at)
    shown, next_cursor = page.cut(found)
    return LedgerEntryPage(await _entries(session, shown), next_cursor)


async def get_entry(session: AsyncSession, entry_id: UUID) -> LedgerEntryView:
    """Raises NotFound."""
    entry = await queries.entry(session, entry_id)
    if entry is None:
        raise NotFound("entry")
    return (await _entries(session, [entry]))[0]


async def _entries(session: AsyncSession, entries: Sequence[LedgerEntry]) -> list[LedgerEntryView]:
    lines: dict[UUID, list[PostingView]] = {}
    for posting, account in await queries.postings(session, [entry.id for entry in entries]):
        shown = PostedAccount(
            id=account.id, owner_id=account.owner_id, kind=account.kind, asset=account.asset
        )
        line = PostingView(account=shown, amount=amount_text(posting.amount, posting.asset))
        lines.setdefault(posting.entry_id, []).append(line)
    titles = await queries.titles(session, sources_of(entries))
    return [
        LedgerEntryView(
            id=entry.id,
            number=entry.number,
            at=entry.at,
            source=source_of(entry, titles),
            rule=_rule(entry),
            reverses=entry.reverses,
            postings=lines.get(entry.id, []),
        )
        for entry in entries
    ]


async def list_accruals(
    session: AsyncSession,
    actor: Actor,
    now: datetime,
    page: Page,
    *,
    state: str | None = None,
    partner: UUID | None = None,
    payout: UUID | None = None,
) -> AccrualPage:
    """A partner's own, the operator's all, newest first."""
    if not actor.operator:
        # Row-level security hides the others too, but finds the own ones in no index.
        partner = actor.organisation_id
    found = await queries.accrual_page(
        session, page, now, state=state, partner=partner, payout=payout
    )
    shown, next_cursor = page.cut(found, lambda row: row[0])
    titles = await queries.titles(session, sources_of(row[0] for row in shown))
    return AccrualPage([_accrual(*row, titles, now) for row in shown], next_cursor)


async def get_accrual(session: AsyncSession, accrual_id: UUID, now: datetime) -> AccrualView:
    """Raises NotFound."""
    row = await queries.accrual(session, accrual_id)
    if row is None:
        raise NotFound("accrual")
    titles = await queries.titles(session, sources_of([row[0]]))
    return _accrual(*row, titles, now)


Titles = Mapping[tuple[str, str], str]


def sources_of(rows: Iterable[Accrual | LedgerEntry]) -> set[tuple[str, str]]:
    return {(row.source_kind, row.source_id) for row in rows}


def source_of(row: Accrual | LedgerEntry, titles: Titles) -> SourceView:
    key = (row.source_kind, row.source_id)
    return SourceView(kind=row.source_kind, id=row.source_id, title=titles.get(key))


def _accrual(
    row: Accrual, entry: LedgerEntry, payout_state: str | None, titles: Titles, now: datetime
) -> AccrualView:
    return AccrualView(
        id=row.id,
        number=row.number,
        entry_id=row.entry_id,
        partner_id=row.beneficiary_id,
        kind=row.kind,
        asset=row.asset,
        amount=amount_text(row.amount, row.asset),
        state=_state(row, payout_state, now),
        source=source_of(row, titles),
        rule=_rule(entry),
        at=row.at,
        due_at=row.due_at,
        reverses=row.reverses,
        payout_id=row.payout_id,
    )


def _state(row: Accrual, payout_state: str | None, now: datetime) -> str:
    if not row.payable:
        return "credited"
    if payout_state is not None:
        return "paid" if payout_state == "paid" else "in_payout"
    return "held" if row.due_at > now else "payable"


def _rule(entry: LedgerEntry) -> RuleView:
    return RuleView(kind=entry.rule_kind, version=entry.rule_version, text=entry.rule_text)
