"""The ledger for people: balances, what was earned, and where each amount comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, get
from litestar.params import QueryParameter
from litestar.response import Template

from marketplace.accounts import queries as accounts
from marketplace.kernel.access import allow
from marketplace.kernel.errors import NotFound
from marketplace.ledger import queries, views
from marketplace.ledger.api import AccrualState
from marketplace.ledger.payouts.api import READER
from marketplace.ledger.schemas import LedgerEntryView, PostingView
from web.pages.visit import Visit

READERS = allow(*READER, scope=None)
AREA = "programme"
ROWS = 50
ACCOUNTS_MAX = 200


class LedgerPages(Controller):
    path = "/ledger"

    @get("/", opt=READERS)
    async def show(
        self,
        visit: Visit,
        accrual_state: Annotated[AccrualState | None, QueryParameter(name="state")] = None,
        partner: UUID | None = None,
        cursor: str | None = None,
    ) -> Template:
        """The own earnings; the operator sees everybody's, or those of one partner."""
        session, actor = visit.session, visit.actor
        owner = partner if actor.operator else actor.organisation_id
        accruals = await views.list_accruals(
            session,
            actor,
            visit.now,
            queries.ACCRUALS.page(ROWS, cursor),
            state=accrual_state,
            partner=owner,
        )
        balances = []
        if owner is not None:
            every = queries.ACCOUNTS.page(ACCOUNTS_MAX)
            listed = await views.list_accounts(session, actor, owner, None, every)
            balances = listed.items
        names = {}
        if actor.operator:
            ids = {one.partner_id for one in accruals.items} | ({partner} if partner else set())
            names = await accounts.public_organisations(session, ids)
            if partner is not None and partner not in names:
                raise NotFound("partner")
        filters = {"state": accrual_state, "partner": partner if actor.operator else None}
        return await visit.page(
            "ledger/list.html",
            area=AREA,
            accruals=accruals,
            accounts=balances,
            names={} if partner else names,
            partner=names[partner] if actor.operator and partner else None,
            state=accrual_state,
            query=urlencode({name: value for name, value in filters.items() if value}),
        )

    @get("/entries/{entry_id:uuid}", opt=READERS)
    async def show_entry(self, visit: Visit, entry_id: UUID) -> Template:
        entry = await views.get_entry(visit.session, entry_id)
        return await visit.page(
            "ledger/entry.html", area=AREA, entry=entry, amount=_of_partner(entry)
        )

    @get("/accounts/{account_id:uuid}", opt=READERS)
    async def show_account(
        self, visit: Visit, account_id: UUID, cursor: str | None = None
    ) -> Template:
        """Every entry of one account with what it changed there."""
        session, actor = visit.session, visit.actor
        account = await views.get_account(session, actor, account_id)
        page = queries.ENTRIES.page(ROWS, cursor)
        listed = await views.list_entries(session, actor, account_id, None, None, page)
        return await visit.page(
            "ledger/account.html",
            area=AREA,
            account=account,
            rows=_amounts(listed.items, account_id),
            next_cursor=listed.next_cursor,
        )


def _of_partner(entry: LedgerEntryView) -> PostingView:
    """What it changed for the partner: both sides read the same headline."""
    posted = [line for line in entry.postings if line.account.owner_id is not None]
    return (posted or entry.postings)[-1]


def _amounts(
    entries: Sequence[LedgerEntryView], account_id: UUID
) -> list[tuple[LedgerEntryView, str]]:
    """An entry may move an account more than once; each line is a row."""
    return [
        (entry, line.amount)
        for entry in entries
        for line in entry.postings
        if line.account.id == account_id
    ]
