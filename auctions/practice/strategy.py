"""How a bot decides: from what a bidder is shown to its next move. Pure: chance is passed in.

A bot knows the `snapshot` view of its own seat, never the state: what it can do, any bidder can.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec

from auctions.rules.formats import DEFAULT, FORMATS, Format
from marketplace.kernel.money import exponent_of, format_minor, parse_minor

EXTRA_SHARES = (0, 0, 0, 2, 10, 50)
"""How much lower than asked a bid goes, in ten-thousandths of the first price; drawn evenly."""

LEADER_BIDS, BLIND_BIDS = 0.1, 0.3
"""How likely a bot that leads, or does not know, undercuts itself."""

View = Mapping[str, Any]


class Character(msgspec.Struct, frozen=True):
    """What makes one bot: its first price, the one it never goes below, its answers to criteria and
    costs, and how often out of a hundred looks it moves where there is time to think.
    """

    opening_minor: int
    floor_minor: int
    answers: dict[str, str] = {}
    eagerness_percent: int = 15


class Offer(msgspec.Struct, frozen=True):
    """Name this price."""

    price: str
    answers: dict[str, str]


class Take(msgspec.Struct, frozen=True):
    """Accept this step, or stay in at it."""

    step: int


Move = Offer | Take


def next_move(view: View, character: Character, dice: Random) -> Move | None:
    """What the bot does now; None: nothing. Called again and again, it paces itself."""
    if view["state"] != "open":
        return None
    stage = view.get("stage", {})
    if stage.get("step") is not None:
        return _at_step(view, stage, character)
    if not _may_speak(view, stage) or dice.randrange(100) >= _haste(view, stage, character):
        return None
    price = _price(view, stage, character, dice)
    if price is None:
        return None
    return Offer(format_minor(price, _exponent(view)), dict(character.answers))


def answers_to(rules: Mapping[str, Any], opening_minor: int, currency: str, dice: Random) -> Any:
    """Answers to all criteria and costs of these `rules`: options by chance, costs of a few percent
    of the first price.
    """
    scoring = rules.get("scoring") or {}
    answers: dict[str, str] = {}
    for feature in scoring.get("features", ()):
        if feature.get("options"):
            answers[feature["id"]] = dice.choice(feature["options"])["id"]
    for cost in scoring.get("costs", ()):
        minor = opening_minor * dice.randint(1, 5) // 100
        answers[cost["id"]] = format_minor(minor, exponent_of(currency))
    return answers


def _at_step(view: View, stage: View, character: Character) -> Take | None:
    """A rising price is taken once it is high enough, a falling clock left once it is too low: both
    mean that the price is not below the floor.
    """
    asked = view["next"]["max_price"]
    settled = view["you"].get("pending") or view["you"].get("dropped_at") is not None
    if asked is None or settled:
        return None
    enough = parse_minor(asked, _exponent(view)) >= character.floor_minor
    return Take(stage["step"]) if enough else None


def _may_speak(view: View, stage: View) -> bool:
    """Not twice where one bid is asked for, in rounds only in the own turn or at the start, and the
    last word only where it is the own one.
    """
    you = view["you"]
    if you.get("pending") or you.get("last_word"):
        return False
    if _format(view, stage).is_last_word:
        return bool(you.get("turn"))
    if stage.get("round") is None:
        return stage.get("name") != "before_announcement"
    return bool(you.get("turn")) or (stage["round"] == 1 and you.get("best") is None)


def _haste(view: View, stage: View, character: Character) -> int:
    """Percent. A turn is short; so is the time in which sealed or first bids are taken."""
    format_ = _format(view, stage)
    short = stage.get("round") is not None or format_.is_sealed or format_.is_last_word
    return max(60, character.eagerness_percent) if short else character.eagerness_percent


def _price(view: View, stage: View, character: Character, dice: Random) -> int | None:
    best, asked = view["you"].get("best"), view["next"]["max_price"]
    if best is None:
        # Nothing asked may also mean that nothing limits it, or that answers are missing.
        top = character.opening_minor
        top = top if asked is None else min(top, parse_minor(asked, _exponent(view)))
        return top if top >= character.floor_minor else None
    if asked is None or dice.random() >= _wish(view, stage):
        return None
    highest = parse_minor(asked, _exponent(view))
    price = highest - character.opening_minor * dice.choice(EXTRA_SHARES) // 10_000
    if price >= character.floor_minor:
        return price
    return highest if highest >= character.floor_minor else None


def _wish(view: View, stage: View) -> float:
    """How likely the own bid is undercut: surely behind, seldom in front."""
    if _format(view, stage).is_sealed:
        return BLIND_BIDS
    rank = view["you"].get("rank")
    if rank is None:
        return BLIND_BIDS
    return LEADER_BIDS if rank == 1 else 1.0


def _format(view: View, stage: View) -> Format:
    """The format of the running phase."""
    rules = view["terms"].get("rules") or {}
    phases = rules.get("phases") or [rules]
    phase = phases[min(stage.get("phase", 0), len(phases) - 1)]
    return FORMATS.get(phase.get("format"), DEFAULT)


def _exponent(view: View) -> int:
    return exponent_of(view["terms"]["currency"])
