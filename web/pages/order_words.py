"""The steps of an order and its claims, as people say them."""

from __future__ import annotations

import re
from collections.abc import Callable

_STEP = re.compile(r"(?:Order|Claim (?P<claim>.+)): (?P<event>[a-z ]+), now (?P<state>[a-z ]+)")


def step_words(text: str, _: Callable[[str], str]) -> str:
    """`text` is that of a timeline's entry; what is no step, such as a delivery, stays."""
    found = _STEP.fullmatch(text)
    if found is None:
        return text
    event, state, claim = found["event"], found["state"], found["claim"]
    if claim is not None:
        words = _claim_steps(_).get(event)
        return words % {"number": claim} if words else text
    return _order_steps(_).get((event, state)) or _order_steps(_).get((event, "")) or text


def _order_steps(_: Callable[[str], str]) -> dict[tuple[str, str], str]:
    """By event, and by the state after it where that matters."""
    return {
        ("request", "proposed"): _("Proposed to the buyer"),
        ("request", "awaiting approval"): _("Sent for approval"),
        ("request", "placed"): _("Ordered"),
        ("approve", ""): _("Released"),
        ("reject", ""): _("Rejected"),
        ("place", ""): _("Ordered"),
        ("withdraw", ""): _("Taken back"),
        ("confirm", ""): _("Confirmed"),
        ("decline", ""): _("Declined"),
        ("deliver part", ""): _("A part was delivered"),
        ("deliver all", ""): _("Everything is delivered"),
        ("accept", ""): _("Goods accepted"),
        ("reopen", ""): _("Reopened"),
        ("cancel", ""): _("Cancelled"),
        ("escalate", ""): _("Overdue"),
    }


def _claim_steps(_: Callable[[str], str]) -> dict[str, str]:
    return {
        "file": _("Claim %(number)s filed"),
        "uphold": _("Claim %(number)s upheld"),
        "dispute": _("Claim %(number)s disputed"),
        "escalate": _("Claim %(number)s goes to the marketplace"),
        "dismiss": _("Claim %(number)s dismissed"),
        "withdraw": _("Claim %(number)s withdrawn"),
    }
