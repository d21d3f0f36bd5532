"""Payouts over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.access import STORES, allow, sends
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.pages import Page, sorted_by
from marketplace.ledger.payouts import exports, queries, service
from marketplace.ledger.payouts.schemas import (
    BankAccountView,
    Failed,
    NewBankAccount,
    NewPayoutRun,
    Paid,
    PayoutPage,
    PayoutRunPage,
    PayoutRunView,
    PayoutView,
)

READ, WRITE = "partners:read", "partners:write"
MAKER = ("channel_manager", "admin")
CHECKER = ("channel_manager", "admin", "approver")
KEEPER = ("admin", "partner_manager")
READER = ("admin", "channel_manager", "approver", "partner_manager", "observer")
"""Money is no record that a partner employee works on."""


class BankAccountController(Controller):
    path = "/api/v1/bank_account"
    tags = ("partners",)

    @get("/", opt=allow(*KEEPER, scope=READ))
    async def get_bank_account(self, session: AsyncSession, actor: Actor) -> BankAccountView:
        """Where the caller's organisation is paid."""
        return await service.get_bank_account(session, actor)

    @put("/", opt=allow(*KEEPER, scope=WRITE, verified=True))
    async def set_bank_account(
        self, session: AsyncSession, actor: Actor, clock: Clock, data: NewBankAccount
    ) -> BankAccountView:
        """Payouts that are proposed from now on go to this account."""
        return await service.set_bank_account(session, actor, data, clock.now())


class PayoutRunController(Controller):
    path = "/api/v1/payout_runs"
    tags = ("partners",)

    @get("/", opt=allow(*CHECKER, scope=READ, operator=True) | sorted_by(queries.RUNS))
    async def list_payout_runs(self, session: AsyncSession, page: Page) -> PayoutRunPage:
        """Every run, newest first."""
        return await service.list_runs(session, page)

    @post("/", opt=allow(*MAKER, scope=WRITE, operator=True))
    async def propose_payouts(
        self, session: AsyncSession, actor: Actor, clock: Clock, data: NewPayoutRun
    ) -> PayoutRunView:
        """Group what is due by partner and currency. A sum below the agreement's minimum, or a
        negative one, is carried over.
        """
        return await service.propose(session, actor, data, clock.now())

    @get("/{payout_run_id:uuid}", opt=allow(*CHECKER, scope=READ, operator=True))
    async def get_payout_run(self, session: AsyncSession, payout_run_id: UUID) -> PayoutRunView:
        """The run, its payouts, and what is carried over."""
        return await service.show(session, payout_run_id)

    @get(
        "/{payout_run_id:uuid}/payouts",
        opt=allow(*CHECKER, scope=READ, operator=True) | sorted_by(queries.PAYOUTS),
    )
    async def list_payouts_of_run(
        self, session: AsyncSession, actor: Actor, payout_run_id: UUID, page: Page
    ) -> PayoutPage:
        """Every payout of the run, by number."""
        return await service.list_payouts(session, actor, payout_run_id, page)

    @post(
        "/{payout_run_id:uuid}/approve",
        status_code=200,
        opt=allow(*CHECKER, scope=WRITE, operator=True),
    )
    async def approve_payout_run(
        self, session: AsyncSession, actor: Actor, clock: Clock, payout_run_id: UUID
    ) -> PayoutRunView:
        """Release every payout of the run. Not by its maker, nor by somebody whom the maker invited
        or gave the role.
        """
        await service.approve(session, actor, payout_run_id, clock.now())
        return await service.show(session, payout_run_id)

    @post(
        "/{payout_run_id:uuid}/cancel",
        status_code=200,
        opt=allow(*CHECKER, scope=WRITE, operator=True),
    )
    async def cancel_payout_run(
        self, session: AsyncSession, actor: Actor, clock: Clock, payout_run_id: UUID
    ) -> PayoutRunView:
        """Nothing of the run is paid; everything in it is payable again."""
        await service.cancel(session, actor, payout_run_id, clock.now())
        return await service.show(session, payout_run_id)

    @get(
        "/{payout_run_id:uuid}/export",
        opt=allow(*CHECKER, scope=READ, operator=True)
        | sends(*exports.MEDIA_TYPES.values())
        | STORES
        | {"problems": (409,)},
    )
    async def export_payout_run(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        payout_run_id: UUID,
        export_format: Annotated[exports.Format, QueryParameter(name="format")] = "pain001",
    ) -> Response[bytes]:
        """The approved run as a file with count and control sum; the same bytes each time.
        `pain001` is a SEPA credit transfer (ISO 20022, pain.001.001.09) in euro.
        """
        found = await exports.export(session, actor, payout_run_id, export_format, clock.now())
        name = f"payouts-{payout_run_id}.{exports.SUFFIXES[export_format]}"
        return Response(
            found.content,
            media_type=exports.MEDIA_TYPES[export_format],
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "ETag": f'"{found.sha256}"',
            },
        )


class PayoutController(Controller):
    path = "/api/v1/payouts"
    tags = ("partners",)

    @get("/", opt=allow(*READER, scope=READ) | sorted_by(queries.OWN_PAYOUTS))
    async def list_payouts(self, session: AsyncSession, actor: Actor, page: Page) -> PayoutPage:
        """A partner's own payouts, the operator's all, newest first."""
        return await service.list_payouts(session, actor, None, page)

    @get("/{payout_id:uuid}", opt=allow(*READER, scope=READ))
    async def get_payout(self, session: AsyncSession, payout_id: UUID) -> PayoutView:
        """One payout; both sides see the same."""
        return await service.get_payout(session, payout_id)

    @post(
        "/{payout_id:uuid}/approve",
        status_code=200,
        opt=allow(*CHECKER, scope=WRITE, operator=True),
    )
    async def approve_payout(
        self, session: AsyncSession, actor: Actor, clock: Clock, payout_id: UUID
    ) -> PayoutView:
        """Release one payout of a run before the others; the same two people as for the run."""
        return await service.approve_payout(session, actor, payout_id, clock.now())

    @post(
        "/{payout_id:uuid}/paid", status_code=200, opt=allow(*CHECKER, scope=WRITE, operator=True)
    )
    async def mark_paid(
        self, session: AsyncSession, actor: Actor, clock: Clock, payout_id: UUID, data: Paid
    ) -> PayoutView:
        """The bank has paid."""
        now = clock.now()
        return await service.mark_paid(session, actor, payout_id, data.at, data.reference, now)

    @post(
        "/{payout_id:uuid}/failed",
        status_code=200,
        opt=allow(*CHECKER, scope=WRITE, operator=True),
    )
    async def mark_failed(
        self, session: AsyncSession, actor: Actor, clock: Clock, payout_id: UUID, data: Failed
    ) -> PayoutView:
        """The bank has not paid; everything in the payout is payable again."""
        return await service.mark_failed(session, actor, payout_id, data.reason, clock.now())


CONTROLLERS = [BankAccountController, PayoutRunController, PayoutController]
