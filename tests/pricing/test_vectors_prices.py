"""The published cases of quantity breaks, combined lists, import counts, price units, rounding."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pricing.lists.rules import (
    Line,
    Offered,
    amount_for,
    break_for,
    combined_lowest,
    quotient,
    resolve,
    unit_price,
)
from tests.pricing.conftest import Shop

CASES = json.loads((Path(__file__).parent / "vectors/prices.json").read_text())["cases"]
TODAY = date(2026, 6, 1)


def of_kind(kind: str) -> Any:
    cases = [case for case in CASES if case["kind"] == kind]
    assert cases, kind
    return pytest.mark.parametrize("case", cases, ids=[case["id"] for case in cases])


def line(price: str, quantity: str, currency: str = "USD") -> Line:
    return Line(
        sku="X",
        unit="C62",
        currency=currency,
        price=Decimal(price),
        min_quantity=Decimal(quantity),
    )


@of_kind("quantity_break")
def test_the_greatest_break_reached_wins(case: dict[str, Any]) -> None:
    lists = {
        name: Offered(
            id=UUID(int=number),
            name=name,
            kind="base",
            version=1,
            lines=tuple(
                line(each["price"], each["min_quantity"])
                for each in case["lines"]
                if each["supplier"] == name
            ),
        )
        for number, name in enumerate(sorted({each["supplier"] for each in case["lines"]}))
    }
    for expected in case["expect"]:
        answer = resolve(
            [lists[expected["supplier"]]],
            quantity=Decimal(expected["quantity"]),
            currency=case["currency"],
            on=TODAY,
        )
        assert answer.price == Decimal(expected["price"])
    for expected in case["cheapest"]:
        quantity = Decimal(expected["quantity"])
        found = {name: break_for(each.lines, quantity) for name, each in lists.items()}
        prices = {name: won.price for name, won in found.items() if won is not None}
        assert min(prices, key=lambda name: prices[name]) == expected["supplier"]


@of_kind("combined_lists")
def test_combined_lists_take_the_lowest_price_of_each_break(case: dict[str, Any]) -> None:
    lists = [
        Offered(
            id=UUID(int=each["priority"]),
            name=each["list"],
            kind="base",
            version=1,
            priority=each["priority"],
            lines=tuple(line(price, quantity) for quantity, price in each["tiers"]),
        )
        for each in case["lists"]
    ]

    def tiers(chosen: list[Offered]) -> list[list[str]]:
        owner = {id(own): each.name for each in chosen for own in each.lines}
        return [
            [str(own.min_quantity), str(own.price), owner[id(own)]]
            for own in combined_lowest(chosen)
        ]

    assert tiers(lists) == case["expected_tiers"]
    assert tiers([each for each in lists if each.name == "site_1"]) == case["anonymous_tiers"]
    for quantity, price, name in case["expected_tiers"]:
        answer = resolve(
            lists, quantity=Decimal(quantity), currency="USD", on=TODAY, combination="lowest"
        )
        assert answer.offered is not None
        assert (answer.price, answer.offered.name) == (Decimal(price), name)


@of_kind("price_unit")
def test_a_price_unit_apart_from_the_order_unit(case: dict[str, Any]) -> None:
    fields = case["fields"]
    price, per = Decimal(fields["NEW_ITEM-PRICE"]), Decimal(fields["NEW_ITEM-PRICEUNIT"])
    assert unit_price(price, per) == Decimal(case["expected_unit_price"])
    quantity, currency = Decimal(fields["NEW_ITEM-QUANTITY"]), fields["NEW_ITEM-CURRENCY"]
    assert amount_for(price, per, quantity, currency) == Decimal(case["expected_line_amount"])


@of_kind("rounding")
def test_a_quotient_is_rounded_once(case: dict[str, Any]) -> None:
    got = quotient(Decimal(case["dividend"]), Decimal(case["divisor"]), case["places"])
    assert str(got) == case["expected"]


def as_csv(rows: list[dict[str, str]]) -> str:
    names = list(rows[0])
    return "\n".join(",".join(cells) for cells in [names, *([r[n] for n in names] for r in rows)])


@of_kind("import")
async def test_an_import_counts_and_changes_what_the_source_says(
    shop: Shop, case: dict[str, Any]
) -> None:
    before = case.get("before")
    if before:
        rows = [
            {"sku": sku, "min_quantity": "1", "unit": "item", "price": price, "currency": "USD"}
            for sku, price in before.items()
        ]
        assert (await shop.upload(as_csv(rows), mode="replace"))["state"] == "published"
        assert await shop.prices() == before
    done = await shop.upload(
        as_csv(case["rows"]),
        mode=case["mode"],
        dry_run=case.get("dry_run", False),
        on_error="reject_rows",
    )
    expected = case["expected"]
    assert done["rows"]["read"] == expected["read"]
    assert done["rows"]["valid"] == expected["processed"]
    assert done["rows"]["invalid"] == expected["errors"]
    if before and not case.get("dry_run"):
        # Ten times the price of yesterday is held until somebody says that it is right.
        assert done["rows"]["held"] == len(case["rows"])
        answer = await shop.post(done["id"], "commit", confirm_held=done["rows"]["held"])
        assert answer.status_code == 200, answer.text
        await shop.work()
    assert await shop.prices() == case["expected_prices"]
