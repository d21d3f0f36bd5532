"""The life of a fund request as a table."""

from __future__ import annotations

from datetime import timedelta

from marketplace.kernel.workflow import HOUSE, Deadline, Transition, Workflow
from marketplace.ledger.credits.models import FundRequest

PARTNER = frozenset(["partner.partner_manager", "partner.admin"])
OPERATOR = frozenset(["operator.channel_manager", "operator.admin"])
HOUSE_ONLY = frozenset([HOUSE])

ANSWER = Deadline[FundRequest](event="escalate", after=timedelta(days=10))
CLAIM = Deadline[FundRequest](event="lapse", after=timedelta(days=180))
"""An approval that nobody claims ties up money that others could use."""

FUND_REQUEST = Workflow[FundRequest](
    name="fund_request",
    initial="draft",
    transitions=(
        Transition(
            event="request", source=("draft",), target="requested", roles=PARTNER, deadline=ANSWER
        ),
        Transition(
            event="approve",
            source=("requested",),
            target="approved",
            roles=OPERATOR,
            not_author=True,
            deadline=CLAIM,
        ),
        Transition(
            event="reject",
            source=("requested",),
            target="rejected",
            roles=OPERATOR,
            not_author=True,
            needs_reason=True,
        ),
        Transition(
            event="escalate",
            source=("requested",),
            target="requested",
            roles=HOUSE_ONLY,
            deadline=ANSWER,
        ),
        Transition(
            event="withdraw", source=("requested", "approved"), target="withdrawn", roles=PARTNER
        ),
        Transition(event="settle", source=("approved",), target="settled", roles=OPERATOR),
        Transition(event="lapse", source=("approved",), target="lapsed", roles=HOUSE_ONLY),
    ),
)
RELEASING = frozenset(["reject", "withdraw", "lapse"])
"""What gives the whole rest of the reservation back."""
