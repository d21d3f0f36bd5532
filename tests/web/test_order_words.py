"""No step of an order or a claim is shown in the words of the program."""

from __future__ import annotations

from marketplace.orders.life import CLAIM, ORDER
from web.pages.order_words import step_words


def same(text: str) -> str:
    return text


def test_every_step_has_words_of_its_own() -> None:
    for subject, workflow in (("Order", ORDER), ("Claim 1", CLAIM)):
        for step in workflow.transitions:
            event, state = step.event.replace("_", " "), str(step.target).replace("_", " ")
            text = f"{subject}: {event}, now {state}"
            assert step_words(text, same) != text


def test_anything_else_stays_as_it_is() -> None:
    for text in ("Delivery 1: 2 lines T-1", "Order: dance, now placed", "Order placed"):
        assert step_words(text, same) == text
    assert step_words("Claim 7: uphold, now upheld", same) == "Claim 7 upheld"
