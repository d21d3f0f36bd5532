"""Who may see what, decided on the server.

Recipients with the same `audience` get the same frames; what belongs to one bidder alone is in
`personal`. Of rivals nobody learns coefficient, bonus, automatic limit, flags or, but under `all`,
the alias. In auctions that score more than the price even their price is shown as evaluated price
only, rounded: price and evaluated price together would tell the coefficient.

    audience   sees
    buyer      everything that is published (sealed bids only once opened)
    all        the standing with aliases
    lead       the best evaluated price, nameless
    result     after the close, where the buyer shows names: ranks and aliases, prices as before
    public     time, stages, messages, withdrawals; no bids
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from auctions.rules.core import abnormal
from auctions.rules.core.hybrid import waits
from auctions.rules.core.outcomes import Outcome
from auctions.rules.core.scoring import Exact, evaluate, read_exact
from auctions.rules.core.standing import rank_at, rank_of
from auctions.rules.core.state import Placed, State, is_blind
from auctions.rules.terms.show import describe
from marketplace.kernel.clock import rfc3339
from marketplace.kernel.money import format_minor, round_half_even

from .limits import is_unlimited, next_max_price

Audience = Literal["buyer", "all", "lead", "result", "public"]
SEES_ROWS = ("buyer", "all")


class Viewer(msgspec.Struct, frozen=True):
    """Who looks. An observer sees as a bidder who never bids, after the close everything."""

    role: Literal["buyer", "bidder", "observer"]
    alias: str | None = None


BUYER = Viewer("buyer")
OBSERVER = Viewer("observer")


def bidder(alias: str) -> Viewer:
    return Viewer("bidder", alias)


def status(state: State, now_us: int) -> str:
    """scheduled, open, paused, closed or cancelled; a silent heartbeat shows as paused."""
    return "paused" if is_blind(state, now_us) else state.status


def audience(state: State, viewer: Viewer) -> Audience:
    """Whose frames this viewer gets. When it changes (first own bid, ...) a snapshot is due."""
    if viewer.role == "buyer":
        return "buyer"
    if viewer.role == "observer":
        public = state.terms.visibility != "all" and state.status != "closed"
        return "public" if public or state.status == "scheduled" else "all"
    known = state.bidders.get(viewer.alias or "")
    if known is None or not known.admitted or not known.bids or state.status == "scheduled":
        return "public"
    if state.terms.visibility == "all":
        return "all"
    if state.status == "closed" and state.terms.names_after_close:
        return "result"
    return "lead" if state.terms.visibility == "rank_and_lead" else "public"


def snapshot(state: State, viewer: Viewer, now_us: int) -> dict[str, Any]:
    """The fields of a `snapshot` frame without type, epoch, seq and now; `stage` beside them."""
    mine = {"you": {"alias": None, "admitted": False}, "next": {"max_price": None}}
    if viewer.role == "bidder":
        mine = personal(state, viewer.alias or "", now_us)
    return {
        "terms": describe(state.terms),
        "state": status(state, now_us),
        "close_at": rfc3339(state.close_at),
        "stage": stage_view(state, audience(state, viewer)),
        "standing": standing_view(state, audience(state, viewer)),
        **mine,
    }


def stage_view(state: State, key: Audience) -> dict[str, Any]:
    """What is going on now; whose turn it is only where aliases are shown."""
    stage = state.stage
    fields: dict[str, Any] = {
        "name": stage.name,
        "ends_at": rfc3339(stage.ends_at),
        "phase": state.phase,
        "round": stage.round,
        "turn": stage.turn,
        "step": stage.step,
        "price": None if stage.price is None else format_minor(stage.price, state.terms.exponent),
        "alias": stage.bidder if key in SEES_ROWS else None,
        # A clock stops early only because somebody accepted; who it was is not said.
        "taken": True if state.taken is not None else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def standing_view(state: State, key: Audience) -> list[dict[str, Any]]:
    """The shared standing of an audience, best first."""
    if key == "public":
        return []
    if key == "lead":
        return [lead_view(state)] if state.rows else []
    if key == "result":
        return [_result_row(state, index) for index in range(len(state.rows))]
    return [row_view(state, index, key) for index in range(len(state.rows))]


def lead_view(state: State) -> dict[str, Any]:
    """The best row without a name."""
    return {"rank": rank_at(state, 0), **_rival_price(state, state.rows[0][0])}


def row_view(state: State, index: int, key: Audience) -> dict[str, Any]:
    """One row of the standing for `buyer` or `all`."""
    evaluated, _, alias = state.rows[index]
    row: dict[str, Any] = {"rank": rank_at(state, index), "alias": alias}
    if key != "buyer":
        return row | _rival_price(state, evaluated)
    placed = state.bidders[alias].bids[-1]
    row |= price_view(state, placed)
    return row | {"seq": placed.seq, "abnormally_low": list(abnormal.reasons(state, index))}


def _result_row(state: State, index: int) -> dict[str, Any]:
    """Who stands where; a price only for the lead, and only where the lead was shown before."""
    evaluated, _, alias = state.rows[index]
    row = {"rank": rank_at(state, index), "alias": alias}
    shown = index == 0 and state.terms.shows_lead
    return row | _rival_price(state, evaluated) if shown else row


def _rival_price(state: State, evaluated: Exact) -> dict[str, Any]:
    """Comparable prices of others; `price` only where it says no more than the evaluated one."""
    shown = shown_exact(state, evaluated)
    if state.terms.scoring.kind == "price":
        return {"price": shown, "evaluated": shown}
    return {"evaluated": shown}


def price_view(state: State, placed: Placed) -> dict[str, Any]:
    """Price, coefficient and evaluated price: always together, to the buyer and to its bidder, with
    the totals of the lines where the lot has some.
    """
    view: dict[str, Any] = {
        "price": format_minor(placed.price, state.terms.exponent),
        "coefficient": placed.scale.coefficient_text,
        "evaluated": shown_exact(state, evaluate(placed.scale, placed.price)),
    }
    terms = state.terms
    if terms.lines:
        totals = zip(terms.lines, placed.lines, strict=True)
        view["lines"] = {line.id: format_minor(total, terms.exponent) for line, total in totals}
    return view


def shown_exact(state: State, evaluated: Exact) -> str:
    """Rounded half-even to the minor unit, as a decimal text."""
    # Most are whole, and every frame shows some: a fraction of each would cost more than the rest.
    whole = evaluated if isinstance(evaluated, int) else round_half_even(evaluated)
    return format_minor(whole, state.terms.exponent)


def result(state: State) -> list[dict[str, Any]]:
    """The standing as the buyer sees it, best first: rank, alias, price, coefficient, evaluated,
    seq, and why the bid is abnormally low.
    """
    return standing_view(state, "buyer")


def personal(state: State, alias: str, now_us: int) -> dict[str, Any]:
    """`you` and `next` of one bidder; send it when it differs from what was sent last."""
    known = state.bidders.get(alias)
    if known is None:
        return {"you": {"alias": alias, "admitted": False}, "next": {"max_price": None}}
    pending = state.pending.get(alias)
    placed = pending or known.current
    you: dict[str, Any] = {"alias": alias, "admitted": known.admitted}
    if placed is not None:
        shown = price_view(state, placed)
        you |= {"best": shown.pop("price"), **shown}
    if pending is not None:
        you["pending"] = True
    rank = visible_rank(state, rank_of(state, alias))
    if rank is not None:
        you["rank"] = rank
    if known.auto_minor is not None:
        you["auto"] = format_minor(known.auto_minor, state.terms.exponent)
    if state.status == "open" and state.stage.bidder == alias:
        you["turn"] = True
    if waits(state, alias):
        you["last_word"] = True
    if known.dropped_at is not None:
        you["dropped_at"] = known.dropped_at
    return {"you": you, "next": next_view(state, alias, now_us)}


def visible_rank(state: State, rank: int | None) -> int | None:
    """The own rank, where ranks are shown at all."""
    if state.terms.visibility == "blind" or state.status == "scheduled":
        return None
    return rank


def next_view(state: State, alias: str, now_us: int) -> dict[str, Any]:
    """The highest price that would be accepted now; null when none or when nothing limits it."""
    price = next_max_price(state, alias, now_us)
    if price is None or is_unlimited(price):
        return {"max_price": None}
    return {"max_price": format_minor(price, state.terms.exponent)}


def ack_view(state: State, alias: str, outcome: Outcome, now_us: int) -> dict[str, Any]:
    """The fields of an `ack` that come from the rules; all but type, cid, seq, ts and receipt.

    `confirm` is the token to repeat a doubtful price with.
    """
    fields: dict[str, Any] = {
        "outcome": "accepted" if outcome.accepted else "refused",
        "code": outcome.code,
        "detail": outcome.detail,
        "confirm": outcome.token,
        "rank": visible_rank(state, outcome.rank),
    }
    if outcome.evaluated is not None:
        fields["evaluated"] = shown_exact(state, read_exact(outcome.evaluated))
    shown = {name: value for name, value in fields.items() if value is not None}
    return shown | {"next": next_view(state, alias, now_us)}
