"""The life of a payout run and of each payout as tables."""

from __future__ import annotations

from datetime import datetime

from marketplace.kernel.actor import Actor
from marketplace.kernel.workflow import Mover, Transition, Workflow, mover
from marketplace.ledger.payouts.models import Payout, PayoutRun

MAKERS = frozenset(["operator.channel_manager", "operator.admin"])
CHECKERS = MAKERS | frozenset(["operator.approver"])
CHECKER_ROLES = ("channel_manager", "admin", "approver")

RUN = Workflow[PayoutRun](
    name="payout_run",
    initial="proposed",
    transitions=(
        Transition(
            event="approve",
            source=("proposed",),
            target="approved",
            roles=CHECKERS,
            not_author=True,
        ),
        Transition(event="cancel", source=("proposed",), target="cancelled", roles=CHECKERS),
    ),
)

PAYOUT = Workflow[Payout](
    name="payout",
    initial="proposed",
    transitions=(
        Transition(
            event="approve",
            source=("proposed",),
            target="approved",
            roles=CHECKERS,
            not_author=True,
        ),
        Transition(event="cancel", source=("proposed",), target="cancelled", roles=CHECKERS),
        Transition(event="pay", source=("approved",), target="paid", roles=CHECKERS),
        Transition(
            event="fail",
            source=("approved",),
            target="failed",
            roles=CHECKERS,
            needs_reason=True,
        ),
    ),
)


def moved_by(actor: Actor, now: datetime, reason: str | None = None) -> Mover:
    """The operator's people."""
    return mover(actor, now, reason, operator=actor.organisation_id if actor.operator else None)
