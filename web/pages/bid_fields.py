"""What a bid or a sealed offer says beside its price: questions of the scoring and lines."""

from __future__ import annotations

from typing import Any

import msgspec

from auctions.tenders.schemas.offers import OfferView
from auctions.tenders.schemas.tender import LotView
from marketplace.kernel.money import Amount
from web.translate import Language


class Question(msgspec.Struct, frozen=True):
    """What a bid answers beside its price: one of `options` (id, title), or else an amount."""

    id: str
    title: str
    options: list[tuple[str, str]] | None = None


class LineOfLot(msgspec.Struct, frozen=True):
    """A part of the lot whose total each bid names."""

    id: str
    title: str


class Answer(msgspec.Struct, frozen=True):
    """What a supplier answered to one question of the lot's scoring, or asks for one line."""

    title: str
    text: str


def lines_of(rules: dict[str, Any]) -> list[LineOfLot]:
    """Of the published rules."""
    return [LineOfLot(one["id"], one.get("title") or one["id"]) for one in rules.get("lines") or []]


def questions(rules: dict[str, Any]) -> list[Question]:
    """Of the published rules, which were read and found right before; ratings are not asked for."""
    scoring = rules.get("scoring", {})
    chosen = [
        Question(
            one["id"],
            one.get("title") or one["id"],
            [(option["id"], option.get("title") or option["id"]) for option in one["options"]],
        )
        for one in scoring.get("features", [])
        if one.get("source") != "rating"
    ]
    costs = scoring.get("costs", [])
    return chosen + [Question(one["id"], one.get("title") or one["id"]) for one in costs]


def answers_of(lot: LotView, offer: OfferView, currency: str, fmt: Language) -> list[Answer]:
    """The lines and then the questions, in their order; none before the opening."""
    lines = offer.lines or {}
    titles = {line.id: line.title for line in lines_of(lot.rules)}
    found = [
        Answer(titles.get(name, name), fmt.money(Amount(text, currency)))
        for name, text in lines.items()
    ]
    given = offer.attributes or {}
    for question in questions(lot.rules):
        if (text := given.get(question.id)) is None:
            continue
        if question.options is None:
            text = fmt.money(Amount(text, currency))
        else:
            text = dict(question.options).get(text, text)
        found.append(Answer(question.title, text))
    return found
