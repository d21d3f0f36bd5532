"""The `data` of every event, for the API document; `announcing` holds its callers to it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class OfTender(msgspec.Struct, frozen=True, kw_only=True):
    """About a tender.

    title  of the tender, e.g. `Pumps`
    """

    tender_id: UUID
    title: str


class InvitationReceived(OfTender, frozen=True, kw_only=True):
    """A buyer invited the receiver to a tender."""


class InvitationDeclined(OfTender, frozen=True, kw_only=True):
    """A supplier will not take part in the receiver's tender.

    organisation_id  the supplier
    supplier         its name, e.g. `Pumps Ltd`
    """

    organisation_id: UUID
    supplier: str
    reason: str


class AddendumPublished(OfTender, frozen=True, kw_only=True):
    """A tender that the receiver was invited to was changed.

    number  of the addendum, from 1, e.g. `1`
    """

    number: int


class QuestionAnswered(OfTender, frozen=True, kw_only=True):
    """A question was answered for everybody.

    question_id  the question, as in the tender's list
    """

    question_id: UUID


class AuctionStarts(OfTender, frozen=True, kw_only=True):
    """An auction of the receiver begins within a quarter of an hour.

    title      of the lot, e.g. `400 pumps`
    starts_at  for people, e.g. `2026-12-01 10:00 UTC`
    """

    auction_id: UUID
    lot_id: UUID
    starts_at: str


class AuctionOutbid(OfTender, frozen=True, kw_only=True):
    """The receiver led until another bid was accepted.

    title  of the lot, e.g. `400 pumps`
    seq    the number of that bid in the log of the auction, e.g. `17`
    """

    auction_id: UUID
    lot_id: UUID
    seq: int


class AwardOffered(OfTender, frozen=True, kw_only=True):
    """A lot, or a share of it, waits for the receiver's answer.

    title          of the lot, e.g. `400 pumps`
    share_percent  of the lot, a decimal text, e.g. `100`
    answer_by      the last moment for it
    """

    award_id: UUID
    lot_id: UUID
    share_percent: str
    answer_by: datetime


class AwardWon(OfTender, frozen=True, kw_only=True):
    """The receiver accepted the award; the order follows.

    title  of the lot, e.g. `400 pumps`
    """

    award_id: UUID
    lot_id: UUID


class OrderMoved(msgspec.Struct, frozen=True, kw_only=True):
    """An order reached another state. The side that moved it gets no event.

    number  of the order, counted by buyer, e.g. `1042`
    event   what was done, e.g. `confirm`
    state   the state after it, as in the order, e.g. `confirmed`
    """

    order_id: UUID
    number: int
    event: str
    state: str


class ClaimMoved(msgspec.Struct, frozen=True, kw_only=True):
    """A claim reached another state. The side that moved it gets no event.

    number  of the claim, counted within its order, e.g. `1`
    event   what was done, e.g. `dispute`
    state   the state after it, as in the claim, e.g. `disputed`
    """

    order_id: UUID
    claim_id: UUID
    number: int
    event: str
    state: str


class TierEligible(msgspec.Struct, frozen=True, kw_only=True):
    """A partner's figures reach another tier; a channel manager decides.

    tier  its code, e.g. `gold`
    """

    agreement_id: UUID
    tier: str


class TierChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A partner has another tier.

    before  code of the former tier, `none` without one, e.g. `silver`
    after   code of the new tier, `none` without one, e.g. `gold`
    """

    agreement_id: UUID
    before: str
    after: str


class PlanUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """The other side proposed a plan, or answered one.

    plan_id  the plan
    state    `proposed`, `agreed` or `declined`, e.g. `proposed`
    reason   why it was declined; empty: it was not, e.g. `Too high for us`
    """

    plan_id: UUID
    state: str
    reason: str


class AccrualMade(msgspec.Struct, frozen=True, kw_only=True):
    """The receiver earned something, or something earned was taken back.

    accrual_id   opens at `GET /api/v1/accruals/{accrual_id}`
    kind         what it is for, as in the accrual, e.g. `commission`
    amount       a decimal text; negative: taken back, e.g. `12.50`
    source_kind  what it comes from, e.g. `order`
    source_id    the id of that, e.g. `0198c3f2-5a1e-7d3b-9c42-1f0e6a7b8c9d`
    due_at       from then on it is paid out
    """

    accrual_id: UUID
    kind: str
    amount: str
    currency: str
    source_kind: str
    source_id: str
    due_at: datetime


class PayoutMoved(msgspec.Struct, frozen=True, kw_only=True):
    """A payout to the receiver reached another state.

    payout_id  the payout
    amount     a decimal text, e.g. `1234.50`
    state      `approved`, `paid` or `failed`, e.g. `approved`
    """

    payout_id: UUID
    amount: str
    currency: str
    state: str


class PaymentMade(PayoutMoved, frozen=True, kw_only=True):
    """The bank has paid.

    reference  of the bank, e.g. `2026-12-01/000123`
    """

    reference: str


class PaymentFailed(PayoutMoved, frozen=True, kw_only=True):
    """The bank has not paid; the amount is payable again.

    reason  of the bank or the operator, e.g. `Wrong IBAN`
    """

    reason: str


class ActReady(msgspec.Struct, frozen=True, kw_only=True):
    """An act was issued to the receiver.

    act_id  opens at `GET /api/v1/acts/{act_id}`
    number  without gaps, e.g. `SB-2026-00001`
    amount  a decimal text, e.g. `1234.50`
    days    unanswered for so many days it counts as accepted, e.g. `14`
    """

    act_id: UUID
    number: str
    amount: str
    currency: str
    days: int


class EndpointDisabled(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint of the receiver failed for too long; its other endpoints hear of it.

    url  where nothing is sent any more, e.g. `https://erp.pumps.example/hooks`
    """

    endpoint_id: UUID
    url: str


class EndpointTest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asked for a test of this endpoint."""

    endpoint_id: UUID
