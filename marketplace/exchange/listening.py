"""Which facts of the ground floor become events, and for whom. Upper floors call `announce`."""

from __future__ import annotations

from datetime import UTC

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.facts import ColleagueInvited, PasswordChanged, PasswordResetAsked
from marketplace.exchange.announcing import Letter, announce, one_line, write_mail
from marketplace.kernel.sealing import Sealer
from marketplace.orders.facts import ClaimMoved, OrderMoved


async def colleague_invited(links: Sealer, session: AsyncSession, fact: ColleagueInvited) -> None:
    """The link goes to the colleague, who has no account yet."""
    inviter, organisation = one_line(fact.inviter_name), one_line(fact.organisation_name)
    letter = Letter(
        organisation_id=fact.organisation_id,
        user_id=fact.inviter_id,
        once=f"colleague {fact.invitation_id}",
        address=fact.email,
        kind="colleague.invited",
        subject=one_line(f"{inviter} invites you to {organisation}"),
        text=f"{inviter} invites you to work with {organisation} in the marketplace. Choose your"
        " name and password at this address; it works once, within 72 hours.",
        path=fact.path,
    )
    await write_mail(session, letter, fact.at, links=links)


async def password_reset_asked(
    links: Sealer, session: AsyncSession, fact: PasswordResetAsked
) -> None:
    """The link goes to the owner of the account."""
    letter = Letter(
        organisation_id=fact.organisation_id,
        user_id=fact.user_id,
        once=f"password reset {fact.reset_id}",
        address=fact.email,
        kind="password.reset",
        subject="Choose a new password",
        text="Somebody, you we hope, forgot the password of your account in the marketplace. Choose"
        " a new one at this address; it works once, within an hour. If it was not you, do nothing:"
        " your password stays as it is.",
        path=fact.path,
    )
    await write_mail(session, letter, fact.at, links=links)


async def password_changed(session: AsyncSession, fact: PasswordChanged) -> None:
    """The owner learns of it, in case it was somebody else."""
    letter = Letter(
        organisation_id=fact.organisation_id,
        user_id=fact.user_id,
        once=f"password changed {fact.at.isoformat()}",
        address=fact.email,
        kind="password.changed",
        subject="Your password was changed",
        text=f"The password of your account in the marketplace was changed at"
        f" {fact.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC. If it was not you, choose a new one at"
        " this address now, and tell an administrator of your organisation.",
        path="/password_resets",
    )
    await write_mail(session, letter, fact.at)


async def order_moved(session: AsyncSession, fact: OrderMoved) -> None:
    """Notify the side that did not move it, or both when the system did."""
    sides = [fact.buyer_id] if fact.inside else [fact.buyer_id, fact.supplier_id]
    for organisation_id in sides:
        if organisation_id == fact.by:
            continue
        placed = fact.state == "placed" and fact.event != "escalate"
        to_supplier = organisation_id == fact.supplier_id
        await announce(
            session,
            organisation_id,
            "order.placed" if placed and to_supplier else "order.updated",
            {
                "order_id": str(fact.order_id),
                "number": fact.number,
                "event": fact.event,
                "state": fact.state,
            },
            f"order {fact.order_id} {fact.event} {fact.at.isoformat()}",
            fact.at,
        )


async def claim_moved(session: AsyncSession, fact: ClaimMoved) -> None:
    """The same for claims."""
    for organisation_id in (fact.buyer_id, fact.supplier_id):
        if organisation_id == fact.by:
            continue
        await announce(
            session,
            organisation_id,
            "claim.filed" if fact.event == "file" else "claim.updated",
            {
                "order_id": str(fact.order_id),
                "claim_id": str(fact.claim_id),
                "number": fact.number,
                "event": fact.event,
                "state": fact.state,
            },
            f"claim {fact.claim_id} {fact.event} {fact.at.isoformat()}",
            fact.at,
        )
