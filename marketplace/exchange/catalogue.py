"""Every event that is sent, and how it reads as a mail. Names are stable."""

from __future__ import annotations

import msgspec

from marketplace.exchange import payloads

OFFICE = frozenset(["procurement_officer", "partner_manager", "partner_employee"])
PARTNERS = frozenset(["channel_manager", "partner_manager"])


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """`data` holds the fields that are sent. `subject` and `text` are filled with them; without a
    subject no mail is sent (who is outbid sees it live). `path` is the page to look at, `readers`
    the roles that get mail.
    """

    title: str
    data: type[msgspec.Struct]
    subject: str | None = None
    text: str = ""
    path: str = "/"
    readers: frozenset[str] = OFFICE


EVENTS: dict[str, Event] = {
    "invitation.received": Event(
        title="Invited to a tender",
        data=payloads.InvitationReceived,
        subject="Invitation: {title}",
        text="You are invited to the tender {title}.",
        path="/tenders/{tender_id}",
    ),
    "invitation.declined": Event(
        title="An invited supplier declined",
        data=payloads.InvitationDeclined,
        subject="Declined: {title}",
        text="{supplier} declines the invitation to the tender {title}: {reason}",
        path="/tenders/{tender_id}",
    ),
    "addendum.published": Event(
        title="A tender was changed",
        data=payloads.AddendumPublished,
        subject="Addendum {number}: {title}",
        text="Addendum {number} of the tender {title} was published. Read what changed.",
        path="/tenders/{tender_id}",
    ),
    "question.answered": Event(
        title="A question was answered",
        data=payloads.QuestionAnswered,
        subject="Answer in {title}",
        text="A question in the tender {title} was answered for everybody.",
        path="/tenders/{tender_id}",
    ),
    "auction.starts": Event(
        title="An auction starts soon",
        data=payloads.AuctionStarts,
        subject="Auction starts: {title}",
        text="The auction {title} starts at {starts_at}.",
        path="/auctions/{auction_id}",
    ),
    "auction.outbid": Event(title="Somebody bid better", data=payloads.AuctionOutbid),
    "award.offered": Event(
        title="A lot is awarded to you and waits for your answer",
        data=payloads.AwardOffered,
        subject="You are awarded: {title}",
        text="You are awarded {share_percent} % of {title}. Accept or decline until {answer_by}.",
        path="/awards/{award_id}",
    ),
    "award.won": Event(
        title="A lot was won",
        data=payloads.AwardWon,
        subject="Won: {title}",
        text="The lot {title} is yours; the order follows.",
        path="/tenders/{tender_id}",
    ),
    "order.placed": Event(
        title="An order was placed",
        data=payloads.OrderMoved,
        subject="Order {number} was placed",
        text="Order {number} was placed. Confirm or decline it.",
        path="/orders/{order_id}",
    ),
    "order.updated": Event(
        title="An order moved on",
        data=payloads.OrderMoved,
        subject="Order {number}: {state}",
        text="Order {number}: {event}, now {state}.",
        path="/orders/{order_id}",
    ),
    "claim.filed": Event(
        title="A claim was filed",
        data=payloads.ClaimMoved,
        subject="Claim {number} was filed",
        text="Claim {number} about an order was filed. Uphold or dispute it within five days.",
        path="/orders/{order_id}",
    ),
    "claim.updated": Event(
        title="A claim moved on",
        data=payloads.ClaimMoved,
        subject="Claim {number}: {state}",
        text="Claim {number}: {event}, now {state}.",
        path="/orders/{order_id}",
    ),
    "tier.eligible": Event(
        title="A partner's figures reach another tier",
        data=payloads.TierEligible,
        subject="Eligible for the tier {tier}",
        text="The figures reach the tier {tier}. A channel manager decides about it.",
        path="/programme/{agreement_id}",
        readers=PARTNERS,
    ),
    "tier.changed": Event(
        title="A partner's tier changed",
        data=payloads.TierChanged,
        subject="Tier: {after}",
        text="The tier is {after} from now on; before it was {before}.",
        path="/programme/{agreement_id}",
        readers=PARTNERS,
    ),
    "plan.updated": Event(
        title="A partner's plan was proposed or answered",
        data=payloads.PlanUpdated,
        subject="Plan: {state}",
        text="A plan is {state} now. {reason}",
        path="/programme/plans/{plan_id}",
        readers=PARTNERS,
    ),
    "accrual.created": Event(title="Something was earned", data=payloads.AccrualMade),
    "accrual.reversed": Event(
        title="Something earned was taken back, in part or whole", data=payloads.AccrualMade
    ),
    "payout.approved": Event(
        title="A payout was released",
        data=payloads.PayoutMoved,
        subject="Payout released: {amount} {currency}",
        text="A payout of {amount} {currency} was released and is on its way to your bank.",
        path="/payouts/{payout_id}",
        readers=PARTNERS,
    ),
    "payment.made": Event(
        title="A payout was paid",
        data=payloads.PaymentMade,
        subject="Paid: {amount} {currency}",
        text="Your payout of {amount} {currency} was paid. Reference of the bank: {reference}.",
        path="/payouts/{payout_id}",
        readers=PARTNERS,
    ),
    "payment.failed": Event(
        title="A payout could not be paid",
        data=payloads.PaymentFailed,
        subject="Payout failed: {amount} {currency}",
        text="Your payout of {amount} {currency} could not be paid: {reason}. It is paid with the"
        " next run.",
        path="/payouts/{payout_id}",
        readers=PARTNERS,
    ),
    "act.ready": Event(
        title="An act was issued",
        data=payloads.ActReady,
        subject="Act {number}: {amount} {currency}",
        text="Act {number} over {amount} {currency} was issued. Accept or dispute it; without an"
        " answer within {days} days it counts as accepted.",
        path="/acts/{act_id}",
        readers=PARTNERS,
    ),
    "endpoint.disabled": Event(
        title="An endpoint was disabled",
        data=payloads.EndpointDisabled,
        subject="Webhook endpoint disabled",
        text="The endpoint {url} failed too long and receives nothing any more.",
        path="/endpoints",
    ),
    "endpoint.test": Event(title="A test, on request", data=payloads.EndpointTest),
}
