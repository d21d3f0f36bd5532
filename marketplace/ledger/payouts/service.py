"""Use cases of payouts. Nothing here commits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from stdnum import bic as bics
from stdnum import iban as ibans
from stdnum.exceptions import ValidationError

from marketplace.accounts import queries as accounts
from marketplace.accounts.service.separation import with_sponsors
from marketplace.exchange.announcing import announce
from marketplace.kernel.actor import Actor
from marketplace.kernel.codes import is_currency
from marketplace.kernel.errors import Forbidden, Invalid, NotFound
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Amount, Money
from marketplace.kernel.pages import Page
from marketplace.kernel.scope import as_house
from marketplace.kernel.workflow import Mover, move, require_other_person
from marketplace.ledger import rules
from marketplace.ledger.payouts import queries
from marketplace.ledger.payouts.life import CHECKER_ROLES, PAYOUT, RUN, moved_by
from marketplace.ledger.payouts.models import BankAccount, Payout, PayoutRun, PayoutTerms
from marketplace.ledger.payouts.schemas import (
    BankAccountView,
    CarriedView,
    LeftOutView,
    NewBankAccount,
    NewPayoutRun,
    PayoutPage,
    PayoutRunPage,
    PayoutRunRow,
    PayoutRunView,
    PayoutView,
    RunBeforeView,
    TotalView,
)
from marketplace.ledger.posting import Account, Entry, Rule, Source, Transfer, post, post_all

SHOWN_MAX = 200
"""Payouts, and sums carried over, in the answer of a run; lists have all of them."""
NEW_GROUPS = 64
"""Groups that may come between counting and taking; a run that meets more is asked for again."""
APPROVAL = Rule("payout", 1, "Released for payment by a second person")
PAYMENT = Rule("payout", 1, "Paid by the bank")
FAILURE = Rule("payout", 1, "The bank did not pay: payable again")


async def set_bank_account(
    session: AsyncSession, actor: Actor, new: NewBankAccount, now: datetime
) -> BankAccountView:
    """Replace the account of the caller's organisation. Raises Invalid."""
    try:
        iban = ibans.validate(new.iban)
    except ValidationError as wrong:
        message = "This is no valid IBAN: its length or its check digits are wrong."
        raise Invalid.field("iban", "malformed_iban", message) from wrong
    bic = None
    if new.bic:
        try:
            bic = bics.validate(new.bic)
        except ValidationError as wrong:
            message = "A BIC has 8 or 11 letters and digits."
            raise Invalid.field("bic", "malformed_bic", message) from wrong
    row = await queries.bank_account(session, actor.organisation_id)
    if row is None:
        row = BankAccount(organisation_id=actor.organisation_id)
        session.add(row)
    row.holder, row.iban, row.bic = new.holder.strip(), iban, bic
    row.changed_at, row.changed_by = now, actor.user_id
    await session.flush()
    return _bank_account(row)


async def get_bank_account(session: AsyncSession, actor: Actor) -> BankAccountView:
    """Raises NotFound."""
    row = await queries.bank_account(session, actor.organisation_id)
    if row is None:
        raise NotFound("bank account")
    return _bank_account(row)


def _bank_account(row: BankAccount) -> BankAccountView:
    return BankAccountView(holder=row.holder, iban=row.iban, bic=row.bic, changed_at=row.changed_at)


async def set_payout_terms(
    session: AsyncSession, partner_id: UUID, currency: str, minimum_minor: int
) -> None:
    """What the partner's agreement says from now on; called from an upper floor."""
    async with as_house(session):
        row = await queries.payout_terms(session, partner_id, currency)
        if row is None:
            row = PayoutTerms(partner_id=partner_id, currency=currency)
            session.add(row)
        row.minimum_minor = minimum_minor


async def propose(
    session: AsyncSession, actor: Actor, new: NewPayoutRun, now: datetime
) -> PayoutRunView:
    """Group what is due at `until` by partner and currency and propose what reaches its minimum;
    everything else is carried over. Raises Invalid.
    """
    if new.currency is not None and not is_currency(new.currency):
        raise Invalid.field("currency", "unknown_currency", "This is no currency.")
    async with as_house(session):
        await queries.lock_runs(session)
        groups = await queries.due_groups(session, new.until, new.currency)
        run = PayoutRun(
            id=new_id(),
            number=await queries.next_number(session),
            until=new.until,
            currency=new.currency,
            state=RUN.initial,
            author_id=actor.user_id,
            created_at=now,
        )
        if new.dry_run:
            return await _dry_run(session, run, groups)
        session.add(run)
        await session.flush()
        ids = [new_id() for _ in range(len(groups) + NEW_GROUPS)]
        await queries.take_due(session, run, ids, now)
    return await show(session, run.id)


async def _dry_run(
    session: AsyncSession, run: PayoutRun, groups: Sequence[queries.Group]
) -> PayoutRunView:
    paid = [group for group in groups if rules.is_paid_out(group.amount, group.minimum)]
    names = await _names(session, [group.beneficiary_id for group in groups])
    asked = [(group.beneficiary_id, group.currency, None) for group in paid[:SHOWN_MAX]]
    former = await queries.former(session, asked)
    sums: dict[str, list[int]] = {}
    for group in paid:
        sums.setdefault(group.currency, []).append(group.amount)
    totals = [
        queries.Total(currency, sum(amounts), len(amounts))
        for currency, amounts in sorted(sums.items())
    ]
    return PayoutRunView(
        **_row_fields(run, totals) | {"id": None, "number": None, "state": "dry_run"},
        payouts=[
            _planned(number, group, names, former[number - 1])
            for number, group in enumerate(paid[:SHOWN_MAX], start=1)
        ],
        carried=_carried([group for group in groups if group not in paid], names),
    )


def _planned(
    number: int, group: queries.Group, names: dict[UUID, str], former: queries.Former
) -> PayoutView:
    return PayoutView(
        id=None,
        run_id=None,
        number=number,
        partner_id=group.beneficiary_id,
        partner=names[group.beneficiary_id],
        amount=Money(group.amount, group.currency).wire(),
        items=group.items,
        state="proposed",
        holder=None,
        iban=None,
        last=_last(former, group.currency),
        account_changed=False,
        paid_at=None,
        reference=None,
        failure=None,
    )


async def show(session: AsyncSession, run_id: UUID) -> PayoutRunView:
    """Raises NotFound."""
    run = await queries.run(session, run_id)
    if run is None:
        raise NotFound("payout run")
    totals = (await queries.totals(session, [run.id])).get(run.id, [])
    page = queries.PAYOUTS.page(SHOWN_MAX)
    shown, _ = page.cut(await queries.payout_page(session, page, run.id))
    carried = await queries.due_groups(session, run.until, run.currency)
    names = await _names(session, [group.beneficiary_id for group in carried[:SHOWN_MAX]])
    return PayoutRunView(
        **_row_fields(run, totals),
        payouts=await _views(session, shown),
        carried=_carried(carried, names),
        before=await _before(session, run),
    )


async def _before(session: AsyncSession, run: PayoutRun) -> RunBeforeView | None:
    before = await queries.run_before(session, run)
    if before is None:
        return None
    left_out = await queries.only_before(session, run.id, before.id, SHOWN_MAX)
    names = await _names(session, [payout.beneficiary_id for payout in left_out])
    totals = await queries.totals(session, [before.id])
    return RunBeforeView(
        id=before.id,
        number=before.number,
        totals=_totals(totals.get(before.id, [])),
        left_out=[
            LeftOutView(
                partner_id=payout.beneficiary_id,
                partner=names[payout.beneficiary_id],
                amount=Money(payout.amount_minor, payout.currency).wire(),
            )
            for payout in left_out
        ],
    )


async def list_runs(session: AsyncSession, page: Page) -> PayoutRunPage:
    """Newest first."""
    shown, next_cursor = page.cut(await queries.run_page(session, page))
    totals = await queries.totals(session, [run.id for run in shown])
    rows = [PayoutRunRow(**_row_fields(run, totals.get(run.id, []))) for run in shown]
    return PayoutRunPage(rows, next_cursor)


async def list_payouts(
    session: AsyncSession, actor: Actor, run_id: UUID | None, page: Page
) -> PayoutPage:
    """Of a run, or all that the caller may see, newest first. Raises NotFound."""
    if run_id is not None and await queries.run(session, run_id) is None:
        raise NotFound("payout run")
    own = None if actor.operator else actor.organisation_id
    shown, next_cursor = page.cut(await queries.payout_page(session, page, run_id, own))
    return PayoutPage(await _views(session, shown), next_cursor)


async def get_payout(session: AsyncSession, payout_id: UUID) -> PayoutView:
    """Raises NotFound."""
    payout = await queries.payout(session, payout_id)
    if payout is None:
        raise NotFound("payout")
    return (await _views(session, [payout]))[0]


async def approve(session: AsyncSession, actor: Actor, run_id: UUID, now: datetime) -> None:
    """Release every payout of the run that is still proposed. Raises NotFound, Forbidden
    (`maker_is_checker`, `not_independent`), Conflict.
    """
    async with as_house(session):
        run = await _locked_run(session, run_id)
        by = await _checker(session, actor, run.author_id, now)
        await move(session, RUN, run, "approve", by, parties=[actor.organisation_id])
        run.checked_by, run.checked_at = actor.user_id, now
        proposed = await queries.payouts(session, run_id, ["proposed"], lock=True)
        await _move_all(session, proposed, "approve", "approved", by)
        await post_all(session, [_released(payout, now) for payout in proposed])


async def approve_payout(
    session: AsyncSession, actor: Actor, payout_id: UUID, now: datetime
) -> PayoutView:
    """Release one payout alone; the run is approved with its last. Raises as `approve`."""
    async with as_house(session):
        payout, run = await _locked(session, payout_id)
        by = await _checker(session, actor, run.author_id, now)
        await move(session, PAYOUT, payout, "approve", by, parties=[actor.organisation_id])
        payout.announced = False
        await post(session, _released(payout, now))
        await session.flush()
        if not await queries.payouts(session, run.id, ["proposed"]):
            await move(session, RUN, run, "approve", by, parties=[actor.organisation_id])
            run.checked_by, run.checked_at = actor.user_id, now
    return await get_payout(session, payout_id)


async def cancel(session: AsyncSession, actor: Actor, run_id: UUID, now: datetime) -> None:
    """Nothing of the run is paid; its accruals are payable again. Raises NotFound, Conflict."""
    async with as_house(session):
        run = await _locked_run(session, run_id)
        by = moved_by(actor, now)
        await move(session, RUN, run, "cancel", by, parties=[actor.organisation_id])
        run.checked_by, run.checked_at = actor.user_id, now
        proposed = await queries.payouts(session, run_id, ["proposed"], lock=True)
        await _move_all(session, proposed, "cancel", "cancelled", by)
        await queries.give_back(session, [payout.id for payout in proposed])


async def mark_paid(
    session: AsyncSession,
    actor: Actor,
    payout_id: UUID,
    at: datetime,
    reference: str,
    now: datetime,
) -> PayoutView:
    """The bank has paid. Raises NotFound, Conflict, Invalid."""
    if at > now:
        raise Invalid.field("at", "in_the_future", "A payment lies in the past.")
    async with as_house(session):
        payout, _ = await _locked(session, payout_id)
        by = moved_by(actor, now)
        await move(session, PAYOUT, payout, "pay", by, parties=[actor.organisation_id])
        payout.paid_at, payout.reference = at, reference
        clearing, paid = _clearing(payout), _account(payout, "paid")
        transfer = Transfer(clearing, paid, payout.amount_minor)
        await post(session, _entry(payout, "paid", PAYMENT, transfer, at))
        await _tell(session, payout, "payment.made", now, {"reference": reference})
    return await get_payout(session, payout_id)


async def mark_failed(
    session: AsyncSession, actor: Actor, payout_id: UUID, reason: str, now: datetime
) -> PayoutView:
    """The bank has not paid: the same accruals enter the next run. Raises NotFound, Conflict."""
    async with as_house(session):
        payout, _ = await _locked(session, payout_id)
        by = moved_by(actor, now, reason)
        await move(session, PAYOUT, payout, "fail", by, parties=[actor.organisation_id])
        payout.failure = reason
        await queries.give_back(session, [payout.id])
        transfer = Transfer(_clearing(payout), _account(payout, "payable"), payout.amount_minor)
        await post(session, _entry(payout, "failed", FAILURE, transfer, now))
        await _tell(session, payout, "payment.failed", now, {"reason": reason})
    return await get_payout(session, payout_id)


async def announce_approved(session: AsyncSession, now: datetime, limit: int) -> int:
    """Tell partners of released payouts; how many. In the system scope."""
    waiting = await queries.unannounced(session, limit)
    for payout in waiting:
        await _tell(session, payout, "payout.approved", now, {})
        payout.announced = True
    await session.flush()
    return len(waiting)


async def _tell(
    session: AsyncSession, payout: Payout, kind: str, now: datetime, more: dict[str, str]
) -> None:
    amount = Money(payout.amount_minor, payout.currency).wire()
    data = {
        "payout_id": str(payout.id),
        "amount": amount.amount,
        "currency": amount.currency,
        "state": payout.state,
    }
    await announce(session, payout.beneficiary_id, kind, data | more, f"{kind} {payout.id}", now)


async def _checker(session: AsyncSession, actor: Actor, author_id: UUID, now: datetime) -> Mover:
    """The second person. Raises Forbidden."""
    if actor.user_id == author_id:
        raise Forbidden("maker_is_checker", "Somebody other than the maker must approve this.")
    by = await with_sponsors(session, moved_by(actor, now), *CHECKER_ROLES)
    require_other_person(by, author_id)
    return by


async def _locked_run(session: AsyncSession, run_id: UUID) -> PayoutRun:
    run = await queries.run(session, run_id, lock=True)
    if run is None:
        raise NotFound("payout run")
    return run


async def _locked(session: AsyncSession, payout_id: UUID) -> tuple[Payout, PayoutRun]:
    """The payout and its run, both locked: the run first, as everywhere."""
    found = await queries.payout(session, payout_id)
    if found is None:
        raise NotFound("payout")
    run = await _locked_run(session, found.run_id)
    payout = await queries.payout(session, payout_id, lock=True)
    assert payout is not None, "payouts are never deleted"
    return payout, run


async def _move_all(
    session: AsyncSession, payouts: Sequence[Payout], event: str, state: str, by: Mover
) -> None:
    """Every payout of a run together: a statement for all, not several for each."""
    ids = [payout.id for payout in payouts]
    await queries.set_states(session, ids, state, announced=state != "approved")
    await queries.add_steps(
        session,
        ids,
        [new_id() for _ in ids],
        event,
        state,
        by.user_id,
        by.organisation_id,
        by.now,
    )
    # The statement went past the objects that the session holds.
    for payout in payouts:
        session.expunge(payout)


def _released(payout: Payout, now: datetime) -> Entry:
    transfer = Transfer(_account(payout, "payable"), _clearing(payout), payout.amount_minor)
    return _entry(payout, "approved", APPROVAL, transfer, now)


def _entry(payout: Payout, word: str, rule: Rule, transfer: Transfer, at: datetime) -> Entry:
    return Entry(
        at=at,
        source=Source("payout", str(payout.id)),
        rule=rule,
        once=f"payout {payout.id} {word}",
        parties=[payout.beneficiary_id],
        transfers=[transfer],
    )


def _account(payout: Payout, kind: str) -> Account:
    return Account(payout.beneficiary_id, kind, payout.currency)


def _clearing(payout: Payout) -> Account:
    return Account(None, "clearing", payout.currency)


async def _names(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, str]:
    found = await accounts.public_organisations(session, set(ids))
    return {row.id: row.name for row in found.values()}


async def _views(session: AsyncSession, payouts: Sequence[Payout]) -> list[PayoutView]:
    names = await _names(session, [payout.beneficiary_id for payout in payouts])
    asked = [(payout.beneficiary_id, payout.currency, payout.id) for payout in payouts]
    former = await queries.former(session, asked)
    return [
        PayoutView(
            id=payout.id,
            run_id=payout.run_id,
            number=payout.number,
            partner_id=payout.beneficiary_id,
            partner=names[payout.beneficiary_id],
            amount=Money(payout.amount_minor, payout.currency).wire(),
            items=payout.items,
            state=payout.state,
            holder=payout.holder,
            iban=payout.iban,
            last=_last(before, payout.currency),
            account_changed=before.paid and before.iban != payout.iban,
            paid_at=payout.paid_at,
            reference=payout.reference,
            failure=payout.failure,
        )
        for payout, before in zip(payouts, former, strict=True)
    ]


def _carried(groups: Sequence[queries.Group], names: dict[UUID, str]) -> list[CarriedView]:
    return [
        CarriedView(
            partner_id=group.beneficiary_id,
            partner=names[group.beneficiary_id],
            amount=Money(group.amount, group.currency).wire(),
            items=group.items,
            minimum=Money(group.minimum, group.currency).wire(),
        )
        for group in groups[:SHOWN_MAX]
    ]


def _row_fields(run: PayoutRun, totals: Sequence[queries.Total]) -> dict[str, Any]:
    return {
        "id": run.id,
        "number": run.number,
        "until": run.until,
        "currency": run.currency,
        "state": run.state,
        "author_id": run.author_id,
        "created_at": run.created_at,
        "checked_by": run.checked_by,
        "checked_at": run.checked_at,
        "totals": _totals(totals),
    }


def _totals(totals: Sequence[queries.Total]) -> list[TotalView]:
    return [
        TotalView(
            currency=total.currency,
            amount=Money(total.amount, total.currency).wire(),
            count=total.count,
        )
        for total in totals
    ]


def _last(former: queries.Former, currency: str) -> Amount | None:
    return None if former.amount is None else Money(former.amount, currency).wire()
