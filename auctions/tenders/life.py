"""The life of a tender, an offer and an award as tables: what may happen when, and by whom."""

from __future__ import annotations

from datetime import timedelta

from auctions.tenders.models import Award, Offer, Tender
from auctions.tenders.rules import AwardState, OfferState, TenderState
from marketplace.kernel.workflow import HOUSE, Deadline, Mover, Refusal, Transition, Workflow

BUYER = "buyer."
"""Before the roles of the buyer's side."""
OFFICER = frozenset(["buyer.procurement_officer"])
APPROVER = frozenset(["buyer.approver"])
OPENERS = frozenset(["buyer.procurement_officer", "buyer.approver"])
HOUSE_ONLY = frozenset([HOUSE])
SUPPLIER = frozenset(["supplier.partner_manager"])

ANSWER_AWARD_WITHIN = timedelta(days=5)
APPROVE_WITHIN = timedelta(days=3)

DRAFT, WAITING = TenderState.DRAFT.value, TenderState.AWAITING_APPROVAL.value
PUBLISHED, OPENED = TenderState.PUBLISHED.value, TenderState.OPENED.value
IN_AUCTION, AWARDING = TenderState.IN_AUCTION.value, TenderState.AWARDING.value
UNDECIDED = (PUBLISHED, OPENED, IN_AUCTION, AWARDING)


def within_the_limit(tender: Tender, by: Mover) -> Refusal | None:
    if not tender.needs_approval:
        return None
    return Refusal("approval_needed", "This tender is above the approval limit.")


def offers_are_due(tender: Tender, by: Mover) -> Refusal | None:
    if tender.offers_due_at is None:
        return Refusal("no_offers_stage", "This tender asks for no sealed offers.")
    if by.now < tender.offers_due_at:
        return Refusal("offers_not_due", "Sealed offers stay closed until the last minute is over.")
    return None


def no_offers_stage(tender: Tender, by: Mover) -> Refusal | None:
    if tender.offers_due_at is None:
        return None
    return Refusal("offers_not_opened", "The sealed offers have not been opened.")


BEGIN = Deadline[Tender](event="begin", at=lambda tender: tender.begins_at)
ESCALATE = Deadline[Tender](event="escalate", after=APPROVE_WITHIN)

TENDER = Workflow[Tender](
    name="tender",
    initial=DRAFT,
    transitions=(
        Transition(
            event="publish",
            source=(DRAFT,),
            target=PUBLISHED,
            roles=OFFICER,
            guard=within_the_limit,
            deadline=BEGIN,
        ),
        Transition(
            event="publish", source=(DRAFT,), target=WAITING, roles=OFFICER, deadline=ESCALATE
        ),
        Transition(
            event="approve",
            source=(WAITING,),
            target=PUBLISHED,
            roles=APPROVER,
            not_author=True,
            deadline=BEGIN,
        ),
        Transition(
            event="send_back", source=(WAITING,), target=DRAFT, roles=APPROVER, needs_reason=True
        ),
        Transition(event="escalate", source=(WAITING,), target=WAITING, roles=HOUSE_ONLY),
        Transition(
            event="open",
            source=(PUBLISHED,),
            target=OPENED,
            roles=OPENERS,
            guard=offers_are_due,
        ),
        Transition(event="start", source=(OPENED,), target=IN_AUCTION, roles=OFFICER),
        Transition(
            event="begin",
            source=(PUBLISHED,),
            target=IN_AUCTION,
            roles=HOUSE_ONLY,
            guard=no_offers_stage,
        ),
        Transition(event="skip_auction", source=(OPENED,), target=AWARDING, roles=OFFICER),
        Transition(
            event="close", source=(PUBLISHED, IN_AUCTION), target=AWARDING, roles=HOUSE_ONLY
        ),
        Transition(event="award", source=(AWARDING,), target="awarded", roles=OFFICER | HOUSE_ONLY),
        Transition(
            event="fail", source=UNDECIDED, target="unsuccessful", roles=OFFICER, needs_reason=True
        ),
        Transition(
            event="cancel",
            source=(DRAFT, WAITING, *UNDECIDED),
            target="cancelled",
            roles=OFFICER,
            needs_reason=True,
        ),
    ),
)


OFFER = Workflow[Offer](
    name="offer",
    initial=OfferState.SEALED.value,
    transitions=(
        Transition(
            event="replace", source=("sealed", "withdrawn"), target="sealed", roles=SUPPLIER
        ),
        Transition(event="withdraw", source=("sealed",), target="withdrawn", roles=SUPPLIER),
        Transition(event="open", source=("sealed",), target="opened", roles=HOUSE_ONLY),
        Transition(event="discard", source=("sealed",), target="rejected", roles=HOUSE_ONLY),
        Transition(event="accept", source=("opened", "rejected"), target="accepted", roles=OFFICER),
        Transition(
            event="reject",
            source=("opened", "accepted"),
            target="rejected",
            roles=OFFICER,
            needs_reason=True,
        ),
    ),
)


def needs_no_approval(award: Award, by: Mover) -> Refusal | None:
    if not award.needs_approval:
        return None
    return Refusal("approval_needed", "Another choice than rank 1 needs an approver.")


EXPIRY = Deadline[Award](event="expire", after=ANSWER_AWARD_WITHIN)

AWARD = Workflow[Award](
    name="award",
    initial=AwardState.PROPOSED.value,
    transitions=(
        Transition(
            event="offer",
            source=("proposed",),
            target="offered",
            roles=OFFICER | HOUSE_ONLY,
            guard=needs_no_approval,
            deadline=EXPIRY,
        ),
        Transition(
            event="offer",
            source=("proposed",),
            target="awaiting_approval",
            roles=OFFICER | HOUSE_ONLY,
            needs_reason=True,
        ),
        Transition(
            event="approve",
            source=("awaiting_approval",),
            target="offered",
            roles=APPROVER,
            not_author=True,
            deadline=EXPIRY,
        ),
        Transition(
            event="refuse",
            source=("awaiting_approval",),
            target="refused",
            roles=APPROVER,
            not_author=True,
            needs_reason=True,
        ),
        Transition(
            event="withdraw",
            source=("awaiting_approval", "offered"),
            target="withdrawn",
            roles=OFFICER,
            needs_reason=True,
        ),
        Transition(event="accept", source=("offered",), target="accepted", roles=SUPPLIER),
        Transition(
            event="decline",
            source=("offered",),
            target="declined",
            roles=SUPPLIER,
            needs_reason=True,
        ),
        Transition(event="expire", source=("offered",), target="declined", roles=HOUSE_ONLY),
    ),
)

WORKFLOWS = (TENDER, OFFER, AWARD)
