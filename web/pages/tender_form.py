"""The short form of a tender, one lot by English auction, as the struct of the public API."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from auctions.rules.formats import DEFAULT
from auctions.tenders.rules import TITLE_CHARS_MAX
from auctions.tenders.schemas.tender import NewItem, NewLot, NewTender, OffersStage
from marketplace.kernel.errors import FieldError, Invalid
from marketplace.kernel.money import Amount
from web.pages.forms import Form, typed_time

PIECES = "C62"
"""UN/ECE Recommendation 20: one piece."""

_WHOLE = re.compile(r"[0-9]{1,7}", re.ASCII)

NAMES = {
    "title": "title",
    "currency": "currency",
    "invitations": "suppliers",
    "offers.due_at": "offers_due_at",
    "lots[0].title": "title",
    "lots[0].ceiling": "ceiling",
    "lots[0].ceiling.amount": "ceiling",
    "lots[0].ceiling.currency": "currency",
    "lots[0].items[0].name": "item",
    "lots[0].items[0].quantity": "quantity",
    "lots[0].rules.starts_at": "starts_at",
    "lots[0].rules.duration_s": "duration_min",
    "lots[0].rules.step": "step",
    "lots[0].rules.step.value": "step",
    "lots[0].rules.step.kind": "step_kind",
    "lots[0].rules.step.against": "step_against",
    "lots[0].rules.visibility": "visibility",
    "lots[0].rules.overtime.window_s": "overtime_window_s",
    "lots[0].rules.overtime.extend_s": "overtime_extend_s",
}
"""Where the form shows an error of the API's path."""


def defaults(now: datetime) -> dict[str, str | list[str]]:
    """A form that only lacks what nobody can guess: a start in ten minutes, the usual overtime."""
    starts_at = (now + timedelta(minutes=10)).replace(second=0, microsecond=0)
    return {
        "currency": "EUR",
        "starts_at": typed_time(starts_at),
        "duration_min": "20",
        "step": "50.00",
        "step_kind": "amount",
        "step_against": "own",
        "visibility": "rank_and_lead",
        "overtime_window_s": "120",
        "overtime_extend_s": "120",
        "offers": "none",
        "offers_due_at": "",
        "suppliers": [],
    }


def read_tender(form: Form) -> NewTender:
    """Raises Invalid with the form's own field names."""
    errors: list[FieldError] = []
    for name in ("title", "item", "quantity", "step"):
        if not form.one(name):
            errors.append(FieldError(name, "required", "This may not be empty."))
        elif len(form.one(name)) > TITLE_CHARS_MAX:
            errors.append(FieldError(name, "too_long", f"At most {TITLE_CHARS_MAX} characters."))
    quantity, ceiling = _number(form, "quantity", errors), _number(form, "ceiling", errors)
    rules = _rules(form, errors)
    invited = _invited(form, errors)
    stage = _offers(form, errors)
    if errors:
        raise Invalid("invalid", "Some fields need another look.", errors=errors)
    currency = form.one("currency")
    lot = NewLot(
        title=form.one("title"),
        items=[NewItem(name=form.one("item"), quantity=quantity, unit=PIECES)],
        rules=rules,
        ceiling=Amount(ceiling, currency) if ceiling else None,
    )
    return NewTender(
        title=form.one("title"),
        currency=currency,
        lots=[lot],
        invitations=invited,
        offers=stage,
    )


def _offers(form: Form, errors: list[FieldError]) -> OffersStage | None:
    """Sealed offers before the auction, opened by one person or by two; None without them."""
    how = form.one("offers") or "none"
    if how == "none":
        return None
    if how not in {"one", "two"}:
        errors.append(FieldError("offers", "malformed", "Choose from the list."))
        return None
    try:
        return OffersStage(form.instant("offers_due_at", "due_offset_min"), how == "two")
    except Invalid as problem:
        errors += problem.errors
        return None


def _rules(form: Form, errors: list[FieldError]) -> dict[str, Any]:
    return {
        "format": DEFAULT.name,
        "starts_at": _start(form, errors),
        "duration_s": _whole(form, "duration_min", errors) * 60,
        "step": {
            "against": form.one("step_against"),
            "kind": form.one("step_kind"),
            "value": _number(form, "step", errors),
        },
        "overtime": {
            "window_s": _whole(form, "overtime_window_s", errors),
            "extend_s": _whole(form, "overtime_extend_s", errors),
            "from": "close",
        },
        "scoring": {"kind": "price"},
        "ties": "allowed",
        "visibility": form.one("visibility"),
        "typo_guard_percent": "30",
    }


def _start(form: Form, errors: list[FieldError]) -> str:
    try:
        return form.instant("starts_at").isoformat().replace("+00:00", "Z")
    except Invalid as problem:
        errors += problem.errors
        return ""


def _number(form: Form, name: str, errors: list[FieldError]) -> str:
    try:
        return form.decimal(name)
    except Invalid as problem:
        errors += problem.errors
        return ""


def _whole(form: Form, name: str, errors: list[FieldError]) -> int:
    if _WHOLE.fullmatch(form.one(name)):
        return int(form.one(name))
    errors.append(FieldError(name, "malformed", "Write a whole number."))
    return 0


def _invited(form: Form, errors: list[FieldError]) -> list[UUID]:
    try:
        return [UUID(text) for text in form.many("suppliers")]
    except ValueError:
        errors.append(FieldError("suppliers", "malformed", "Choose from the list."))
        return []
