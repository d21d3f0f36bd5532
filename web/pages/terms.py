"""The rules of a lot in plain words, one line for each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from auctions.rules.formats import DEFAULT
from auctions.rules.parts.words import Paragraph
from auctions.rules.terms.read import read_terms
from auctions.rules.views.plain import explain, gists
from auctions.tenders.schemas.tender import LotView
from marketplace.kernel.clock import rfc3339, to_micros
from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import Amount
from web.translate import Language

Gettext = Callable[[str], str]


class Term(msgspec.Struct, frozen=True):
    """`text`, or a time that the page shows in the reader's zone."""

    name: str
    text: str = ""
    instant: datetime | None = None


def lot_terms(lot: LotView, currency: str, fmt: Language) -> list[Term]:
    """Rules may be anything a draft holds: what is missing or odd is left out, not guessed."""
    _, rules = fmt.gettext, lot.rules
    name = str(rules.get("format", DEFAULT.name))
    terms = [Term(_("Format"), gists(fmt.texts).get(name, name))]
    starts_at = lot.starts_at or _instant(rules.get("starts_at"))
    if starts_at is not None:
        terms.append(Term(_("Starts"), instant=starts_at))
    if isinstance(seconds := rules.get("duration_s"), int):
        terms.append(Term(_("Lasts at least"), _duration(seconds, _)))
    if lot.ceiling is not None:
        terms.append(Term(_("Ceiling"), fmt.money(lot.ceiling)))
    terms += _step(rules.get("step"), currency, fmt)
    terms += _overtime(rules.get("overtime"), _)
    terms += _visibility(rules.get("visibility"), _)
    return terms


def explained(lot: LotView, currency: str, fmt: Language) -> list[Paragraph]:
    """The lot's rules as the auction will apply them, from the texts of the bidding guide in the
    reader's language; empty while a draft's rules cannot be used.
    """
    starts_at = lot.starts_at or _instant(lot.rules.get("starts_at"))
    if starts_at is None:
        return []
    rules = {**lot.rules, "starts_at": rfc3339(to_micros(starts_at))}
    ceiling = lot.ceiling.amount if lot.ceiling else None
    try:
        terms = read_terms(rules, auction="", currency=currency, ceiling=ceiling)
    except Invalid:
        return []
    return explain(terms, fmt.texts)


def _step(step: Any, currency: str, fmt: Language) -> list[Term]:
    _ = fmt.gettext
    if not isinstance(step, dict) or not isinstance(value := step.get("value"), str):
        return []
    try:
        size = fmt.money(Amount(value, currency)) if step.get("kind") == "amount" else f"{value} %"
    except ArithmeticError:
        return []
    lead = step.get("against") == "lead"
    words = _("%(size)s below the best bid") if lead else _("%(size)s below the own last bid")
    return [Term(_("Smallest step"), words % {"size": size})]


def _overtime(overtime: Any, _: Gettext) -> list[Term]:
    if not isinstance(overtime, dict):
        return []
    window, extend = overtime.get("window_s"), overtime.get("extend_s")
    if not isinstance(window, int) or not isinstance(extend, int):
        return []
    words = _("Bids in the last %(window)s extend it by %(extend)s")
    values = {"window": _duration(window, _), "extend": _duration(extend, _)}
    return [Term(_("Overtime"), words % values)]


def _visibility(name: object, _: Gettext) -> list[Term]:
    words = {
        "blind": _("nothing but their own bids"),
        "rank": _("their own rank"),
        "rank_and_lead": _("their own rank and the best price"),
        "all": _("all prices, without names"),
    }
    return [Term(_("Bidders see"), words[str(name)])] if str(name) in words else []


def _duration(seconds: int, _: Gettext) -> str:
    if seconds >= 60 and seconds % 60 == 0:
        return _("%(count)s min") % {"count": seconds // 60}
    return _("%(count)s s") % {"count": seconds}


def _instant(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
