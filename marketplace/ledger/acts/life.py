"""The life of an act: the partner accepts or disputes; silence accepts."""

from __future__ import annotations

from datetime import datetime, timedelta

from marketplace.kernel.actor import Actor
from marketplace.kernel.workflow import HOUSE, Deadline, Mover, Transition, Workflow, mover
from marketplace.ledger.acts.models import Act

PARTNER = frozenset(["partner.admin", "partner.partner_manager"])


def _silence(act: Act) -> datetime:
    return act.issued_at + timedelta(days=act.accept_days)


SILENCE = Deadline[Act](event="accept", at=_silence)

ACT = Workflow[Act](
    name="act",
    initial="issued",
    transitions=(
        Transition(
            event="accept",
            source=("issued",),
            target="accepted",
            roles=PARTNER | frozenset([HOUSE]),
        ),
        Transition(event="accept", source=("disputed",), target="accepted", roles=PARTNER),
        Transition(
            event="dispute",
            source=("issued",),
            target="disputed",
            roles=PARTNER,
            needs_reason=True,
        ),
    ),
)


def moved_by(actor: Actor, now: datetime, act: Act, reason: str | None = None) -> Mover:
    return mover(actor, now, reason, partner=act.beneficiary_id)
