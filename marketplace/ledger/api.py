"""The ledger over HTTP: accounts, entries, accruals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.pages import Page, sorted_by
from marketplace.ledger import queries, views
from marketplace.ledger.acts.api import CONTROLLERS as ACTS
from marketplace.ledger.payouts.api import CONTROLLERS as PAYOUTS
from marketplace.ledger.payouts.api import READER
from marketplace.ledger.schemas import (
    AccrualPage,
    AccrualView,
    LedgerAccountPage,
    LedgerEntryPage,
    LedgerEntryView,
)

READ = "partners:read"
AccrualState = Literal["held", "payable", "in_payout", "paid", "credited"]


class LedgerController(Controller):
    path = "/api/v1/ledger"
    tags = ("partners",)

    @get("/accounts", opt=allow(*READER, scope=READ) | sorted_by(queries.ACCOUNTS))
    async def list_ledger_accounts(
        self,
        session: AsyncSession,
        actor: Actor,
        page: Page,
        owner: UUID | None = None,
        asset: str | None = None,
    ) -> LedgerAccountPage:
        """A partner's own accounts with their balances; the operator sees every account."""
        return await views.list_accounts(session, actor, owner, asset, page)

    @get(
        "/accounts/{account_id:uuid}/entries",
        opt=allow(*READER, scope=READ) | sorted_by(queries.ENTRIES),
    )
    async def list_ledger_entries(
        self,
        session: AsyncSession,
        actor: Actor,
        account_id: UUID,
        page: Page,
        from_at: Annotated[datetime | None, QueryParameter(name="from")] = None,
        to_at: Annotated[datetime | None, QueryParameter(name="to")] = None,
    ) -> LedgerEntryPage:
        """Every credit and debit with source and rule, newest first, in `[from, to)`."""
        return await views.list_entries(session, actor, account_id, from_at, to_at, page)

    @get("/entries/{entry_id:uuid}", opt=allow(*READER, scope=READ))
    async def get_ledger_entry(self, session: AsyncSession, entry_id: UUID) -> LedgerEntryView:
        """Where an amount comes from and by which rule; both sides see the same."""
        return await views.get_entry(session, entry_id)


class AccrualController(Controller):
    path = "/api/v1/accruals"
    tags = ("partners",)

    @get("/", opt=allow(*READER, scope=READ) | sorted_by(queries.ACCRUALS))
    async def list_accruals(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        page: Page,
        accrual_state: Annotated[AccrualState | None, QueryParameter(name="state")] = None,
        partner: UUID | None = None,
        payout: Annotated[
            UUID | None, QueryParameter(description="What this payout is made of.")
        ] = None,
    ) -> AccrualPage:
        """What was earned and taken back, newest first; `partner` is for the operator, `payout`
        asks what a payout is made of.
        """
        return await views.list_accruals(
            session,
            actor,
            clock.now(),
            page,
            state=accrual_state,
            partner=partner,
            payout=payout,
        )

    @get("/{accrual_id:uuid}", opt=allow(*READER, scope=READ))
    async def get_accrual(
        self, session: AsyncSession, clock: Clock, accrual_id: UUID
    ) -> AccrualView:
        """One accrual with its rule."""
        return await views.get_accrual(session, accrual_id, clock.now())


CONTROLLERS = [LedgerController, AccrualController, *PAYOUTS, *ACTS]
