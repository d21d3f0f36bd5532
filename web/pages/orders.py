"""Orders: the list, one order with the next action on top of its timeline, the customer's page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Template

from auctions.tenders import service as tenders
from auctions.tenders.queries import AWARDS
from marketplace.kernel.access import PUBLIC, allow
from marketplace.kernel.decimals import parse_decimal, typed_text
from marketplace.kernel.errors import Malformed
from marketplace.kernel.facts import Facts
from marketplace.orders.queries import ORDERS
from marketplace.orders.rules import plain
from marketplace.orders.schemas import (
    DeliveredLine,
    NewClaim,
    NewDelivery,
    NewSurvey,
    OrderView,
)
from marketplace.orders.service import claims, creating, dossier, moving, views
from web.pages.forms import Form
from web.pages.order_words import step_words
from web.pages.render import go, told
from web.pages.visit import UNTRIED, Attempt, PublicVisit, Visit

FOR_MEMBERS = allow(scope=None, waiting=True)
LIST_MAX = 100
SEVERITIES = {"minor": 2_500, "major": 5_000, "critical": 10_000}
MOVES = frozenset(
    ["approve", "reject", "place", "withdraw", "decline", "accept", "reopen", "cancel"]
)
YOURS = frozenset(["accept", "approve"])
STARS = frozenset(["1", "2", "3", "4", "5"])
DECISIONS = frozenset(["uphold", "dispute", "escalate", "dismiss", "withdraw"])
WITH_REASON = frozenset(["reject", "decline", "cancel", "dispute", "dismiss", "reopen"])


class OrderPages(Controller):
    path = "/orders"

    @get("/", opt=FOR_MEMBERS)
    async def list_orders(self, visit: Visit) -> Template:
        found = await views.listing(
            visit.session, visit.actor, states=(), role=None, page=ORDERS.page(LIST_MAX)
        )
        found_awards = await tenders.list_awards(
            visit.session, visit.actor, page=AWARDS.page(LIST_MAX)
        )
        waiting = [each for each in found_awards.items if YOURS.intersection(each.events)]
        due = []
        if "buys" in visit.actor.capabilities:
            due = (await creating.suggestions(visit.session, visit.actor, visit.now)).items
        return await visit.page(
            "orders/list.html",
            area="orders",
            orders=found.items,
            due=due,
            awards=waiting,
        )

    @get("/{order_id:uuid}", opt=FOR_MEMBERS)
    async def show(self, visit: Visit, order_id: UUID) -> Template:
        return await _page(visit, order_id)

    @post("/{order_id:uuid}/{event:str}", opt=FOR_MEMBERS)
    async def act(self, visit: Visit, facts: Facts, order_id: UUID, event: str) -> Response[Any]:
        form = await visit.form()
        async with visit.trying(form) as attempt:
            await _act(visit, facts, order_id, event, form)
            return go(f"/orders/{order_id}")
        return await _page(visit, order_id, attempt)


class StatusPage(Controller):
    """What the customer's link shows: no prices."""

    path = "/order_status"

    @get("/{token:str}", opt=PUBLIC)
    async def show(self, public_visit: PublicVisit, token: str) -> Template:
        status = await dossier.public_status(public_visit.session, token)
        return await public_visit.page("orders/status.html", seen=status)


async def _act(visit: Visit, facts: Facts, order_id: UUID, event: str, form: Form) -> None:
    """One button of the page. Raises what the services raise."""
    session, actor, now = visit.session, visit.actor, visit.now
    reason = form.one("reason") or None
    if claim := form.one("claim"):
        if event not in DECISIONS:
            raise _no_such_button()
        await claims.act(session, facts, actor, _claim_id(claim), event, reason, None, now)
    elif event == "confirm":
        await moving.confirm(session, facts, actor, order_id, None, now)
    elif event == "deliver":
        new = await _delivery(visit, order_id, form)
        await moving.deliver(session, facts, actor, order_id, new, now)
    elif event == "claim":
        new_claim = NewClaim(
            kind="service" if form.one("kind") == "service" else "quality",
            severity_bp=SEVERITIES.get(form.one("severity"), SEVERITIES["minor"]),
            description=form.one("description")[:4_000] or "-",
        )
        await claims.file(session, facts, actor, order_id, new_claim, now)
    elif event == "survey":
        if form.one("stars") not in STARS:
            raise _no_such_button()
        answer = NewSurvey(stars=int(form.one("stars")))
        await dossier.answer_survey(session, facts, actor, order_id, answer, now)
    elif event in MOVES:
        await moving.act(session, facts, actor, order_id, event, reason, now)
    else:
        raise _no_such_button()


def _no_such_button() -> Malformed:
    return Malformed("malformed", "There is no such button.")


def _claim_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _no_such_button() from None


async def _delivery(visit: Visit, order_id: UUID, form: Form) -> NewDelivery:
    """The quantities as typed; what is left blank or zero is not in this delivery."""
    order = await views.show(visit.session, visit.actor, order_id, visit.now)
    typed = [(line.position, form.decimal(f"quantity-{line.position}")) for line in order.lines]
    lines = [
        DeliveredLine(position=position, quantity=quantity)
        for position, quantity in typed
        if quantity not in {"", "0"}
    ]
    return NewDelivery(
        lines=lines, carrier=form.one("carrier")[:200], tracking=form.one("tracking")[:200]
    )


async def _page(visit: Visit, order_id: UUID, attempt: Attempt = UNTRIED) -> Template:
    now = visit.now
    order = await views.show(visit.session, visit.actor, order_id, now)
    timeline = await dossier.timeline(visit.session, visit.actor, order_id, now)
    _ = visit.fmt.gettext
    return await visit.page(
        "orders/order.html",
        attempt,
        area="orders",
        order=order,
        buying=order.buyer.id == visit.actor.organisation_id,
        events=order.next.events if order.next else [],
        on_claim=_claim_in_question(order),
        with_reason=WITH_REASON,
        timeline=[
            msgspec.structs.replace(entry, text=step_words(entry.text, _))
            for entry in timeline.items
        ],
        left=_left(order),
        may_claim=order.state in ("partly_delivered", "delivered", "accepted"),
        # The page has a form for each step: what is wrong stands above them.
        problem=told(attempt.problem),
    )


def _claim_in_question(order: OrderView) -> str | None:
    """The open claim that the next action is about."""
    for claim in order.claims:
        if claim.state in ("open", "disputed", "escalated"):
            return str(claim.id)
    return None


def _left(order: OrderView) -> dict[int, str]:
    """What is still to come of each line, as the form reads it back."""
    left = {}
    for line in order.lines:
        rest = parse_decimal(line.quantity) - parse_decimal(line.delivered)
        left[line.position] = typed_text(plain(rest), None)
    return left
