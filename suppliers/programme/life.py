"""The life of an agreement and of a plan as tables: what may happen when, and by whom."""

from __future__ import annotations

from datetime import datetime

from marketplace.kernel.actor import Actor
from marketplace.kernel.workflow import HOUSE, Deadline, Mover, Refusal, Transition, Workflow, mover
from suppliers.programme.models import Agreement, Plan

CHANNEL_ROLES = ("channel_manager", "admin")
CHANNEL = frozenset(f"operator.{role}" for role in CHANNEL_ROLES)
PARTNER_MANAGER = frozenset(["partner.partner_manager"])
BOTH = CHANNEL | PARTNER_MANAGER
RUNNING = ("active", "suspended")


def not_over(agreement: Agreement, by: Mover) -> Refusal | None:
    if agreement.ends is None or by.now < agreement.ends:
        return None
    return Refusal("period_over", "The agreement's time is over.")


def of_the_own_side(plan: Plan, by: Mover) -> Refusal | None:
    if by.organisation_id == plan.proposer_id:
        return None
    return Refusal("other_side", "The side that wrote the plan proposes it.")


def of_the_other_side(plan: Plan, by: Mover) -> Refusal | None:
    if by.organisation_id != plan.proposer_id:
        return None
    return Refusal("own_proposal", "The other side answers this plan.")


def _end(agreement: Agreement) -> datetime | None:
    return agreement.ends


END = Deadline[Agreement](event="end", at=_end)

AGREEMENT = Workflow[Agreement](
    name="agreement",
    initial="draft",
    transitions=(
        Transition(
            event="activate",
            source=("draft",),
            target="active",
            roles=CHANNEL,
            guard=not_over,
            deadline=END,
        ),
        Transition(
            event="suspend", source=("active",), target="suspended", roles=CHANNEL, deadline=END
        ),
        Transition(
            event="resume",
            source=("suspended",),
            target="active",
            roles=CHANNEL,
            guard=not_over,
            deadline=END,
        ),
        *(
            Transition(event=event, source=(state,), target=state, roles=CHANNEL, deadline=END)
            for event in ("move", "set_tier")
            for state in RUNNING
        ),
        Transition(
            event="end",
            source=("draft", *RUNNING),
            target="ended",
            roles=CHANNEL | frozenset([HOUSE]),
        ),
    ),
)

PLAN = Workflow[Plan](
    name="plan",
    initial="draft",
    transitions=(
        Transition(
            event="propose",
            source=("draft",),
            target="proposed",
            roles=BOTH,
            guard=of_the_own_side,
        ),
        Transition(
            event="agree",
            source=("proposed",),
            target="agreed",
            roles=BOTH,
            guard=of_the_other_side,
        ),
        Transition(
            event="decline",
            source=("proposed",),
            target="declined",
            roles=BOTH,
            guard=of_the_other_side,
            needs_reason=True,
        ),
    ),
)


def moved_by(
    actor: Actor, now: datetime, subject: Agreement | Plan, reason: str | None = None
) -> Mover:
    return mover(actor, now, reason, operator=subject.operator_id, partner=subject.partner_id)
