"""The life of an order and of a claim as tables: what may happen when, by whom, until when."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.workflow import (
    HOUSE,
    Deadline,
    Mover,
    Refusal,
    Transition,
    Workflow,
    mover,
)
from marketplace.orders.models import Claim, Order

OFFICER = frozenset(["buyer.procurement_officer"])
APPROVER = frozenset(["buyer.approver"])
SELLER = frozenset(["supplier.partner_manager", "supplier.partner_employee"])
OPERATOR = frozenset(["operator"])
HOUSE_ONLY = frozenset([HOUSE])
OPERATOR_ROLES = ("admin", "channel_manager")

ANSWER_WITHIN = timedelta(days=3)
ACCEPT_WITHIN = timedelta(days=7)
REOPEN_WITHIN = timedelta(days=30)
ANSWER_CLAIM_WITHIN = timedelta(days=5)
CONTEST_WITHIN = timedelta(days=10)

DELIVERABLE = ("confirmed", "partly_delivered")
CLAIMABLE = ("partly_delivered", "delivered", "accepted")
WAITING = ("awaiting_approval", "placed", "confirmed", "partly_delivered", "delivered")


def needs_approval(order: Order, by: Mover) -> Refusal | None:
    if order.approver_id is not None:
        return None
    return Refusal("approval_needless", "Nobody was named to release this order.")


def needs_no_approval(order: Order, by: Mover) -> Refusal | None:
    if order.approver_id is None:
        return None
    return Refusal("approval_needed", "The named approver must release this order.")


def accepted_lately(order: Order, by: Mover) -> Refusal | None:
    if order.accepted_at is not None and by.now < order.accepted_at + REOPEN_WITHIN:
        return None
    return Refusal("too_late", f"Only within {REOPEN_WITHIN.days} days of the acceptance.")


def is_the_named_approver(order: Order, by: Mover) -> Refusal | None:
    if by.user_id == order.approver_id:
        return None
    return Refusal("other_approver", "Somebody else was named to release this order.")


async def note_escalation(session: AsyncSession, order: Order, by: Mover) -> None:
    order.escalated_at = by.now


def _due(order: Order) -> datetime | None:
    """The promised day; once it has passed, every few days again."""
    if order.due_at is None:
        return None
    if order.escalated_at is not None and order.escalated_at >= order.due_at:
        return order.escalated_at + ANSWER_WITHIN
    return order.due_at


ANSWER = Deadline[Order](event="escalate", after=ANSWER_WITHIN)
DUE = Deadline[Order](event="escalate", at=_due)
ACCEPT = Deadline[Order](event="escalate", after=ACCEPT_WITHIN)


ORDER = Workflow[Order](
    name="order",
    initial="draft",
    transitions=(
        Transition(event="request", source=("draft",), target="proposed", roles=SELLER),
        Transition(
            event="request",
            source=("draft",),
            target="awaiting_approval",
            roles=OFFICER,
            guard=needs_approval,
            deadline=ANSWER,
        ),
        Transition(
            event="request",
            source=("draft",),
            target="placed",
            roles=OFFICER | HOUSE_ONLY,
            guard=needs_no_approval,
            deadline=ANSWER,
        ),
        Transition(
            event="approve",
            source=("awaiting_approval",),
            target="placed",
            roles=APPROVER,
            guard=is_the_named_approver,
            not_author=True,
            deadline=ANSWER,
        ),
        Transition(
            event="reject",
            source=("awaiting_approval",),
            target="rejected",
            roles=APPROVER,
            guard=is_the_named_approver,
            not_author=True,
            needs_reason=True,
        ),
        Transition(
            event="place", source=("proposed",), target="placed", roles=OFFICER, deadline=ANSWER
        ),
        Transition(
            event="reject",
            source=("proposed",),
            target="rejected",
            roles=OFFICER,
            needs_reason=True,
        ),
        Transition(event="withdraw", source=("proposed",), target="cancelled", roles=SELLER),
        Transition(
            event="confirm", source=("placed",), target="confirmed", roles=SELLER, deadline=DUE
        ),
        Transition(
            event="decline",
            source=("placed",),
            target="declined",
            roles=SELLER,
            needs_reason=True,
        ),
        Transition(
            event="deliver_all",
            source=DELIVERABLE,
            target="delivered",
            roles=SELLER,
            deadline=ACCEPT,
        ),
        Transition(
            event="deliver_part",
            source=DELIVERABLE,
            target="partly_delivered",
            roles=SELLER,
            deadline=DUE,
        ),
        Transition(event="accept", source=("delivered",), target="accepted", roles=OFFICER),
        Transition(
            event="accept",
            source=("partly_delivered",),
            target="accepted",
            roles=OFFICER,
            needs_reason=True,
        ),
        Transition(
            event="reopen",
            source=("accepted",),
            target="delivered",
            roles=OFFICER,
            guard=accepted_lately,
            needs_reason=True,
            deadline=ACCEPT,
        ),
        Transition(
            event="cancel",
            source=("awaiting_approval", "placed", "confirmed"),
            target="cancelled",
            roles=OFFICER,
            needs_reason=True,
        ),
        *(
            Transition(
                event="escalate",
                source=(state,),
                target=state,
                roles=HOUSE_ONLY,
                effect=note_escalation,
                deadline=deadline,
            )
            for state, deadline in (
                ("awaiting_approval", ANSWER),
                ("placed", ANSWER),
                ("confirmed", DUE),
                ("partly_delivered", DUE),
                ("delivered", ACCEPT),
            )
        ),
    ),
)

CLAIM = Workflow[Claim](
    name="claim",
    initial="draft",
    transitions=(
        Transition(
            event="file",
            source=("draft",),
            target="open",
            roles=OFFICER,
            deadline=Deadline(event="escalate", after=ANSWER_CLAIM_WITHIN),
        ),
        Transition(event="uphold", source=("open", "disputed"), target="upheld", roles=SELLER),
        Transition(event="uphold", source=("escalated",), target="upheld", roles=OPERATOR),
        Transition(
            event="dispute",
            source=("open",),
            target="disputed",
            roles=SELLER,
            needs_reason=True,
            deadline=Deadline(event="dismiss", after=CONTEST_WITHIN),
        ),
        Transition(event="escalate", source=("open",), target="escalated", roles=HOUSE_ONLY),
        Transition(event="escalate", source=("disputed",), target="escalated", roles=OFFICER),
        Transition(
            event="dismiss",
            source=("escalated",),
            target="dismissed",
            roles=OPERATOR,
            needs_reason=True,
        ),
        Transition(event="dismiss", source=("disputed",), target="dismissed", roles=HOUSE_ONLY),
        Transition(
            event="withdraw",
            source=("open", "disputed", "escalated", "upheld"),
            target="withdrawn",
            roles=OFFICER,
        ),
    ),
)

WORKFLOWS = (ORDER, CLAIM)


def moved_by(
    actor: Actor, now: datetime, subject: Order | Claim, reason: str | None = None
) -> Mover:
    """The caller on its side of the deal; the operator's people decide what is contested."""
    by = mover(actor, now, reason, buyer=subject.buyer_id, supplier=subject.supplier_id)
    if not actor.operator or not actor.has_role(*OPERATOR_ROLES):
        return by
    capacities = by.capacities | OPERATOR
    return Mover(by.now, capacities, by.user_id, by.organisation_id, by.reason)
