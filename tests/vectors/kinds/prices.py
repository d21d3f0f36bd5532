"""Quantity breaks, combined lists, import counts, price units, rounding, weights of a scorecard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

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
from ratings.policy import COMPONENTS, Weights, weight_errors
from tests.vectors.cases import Case

if TYPE_CHECKING:
    from tests.pricing.conftest import Shop
    from tests.vectors.world import Running

TODAY = date(2026, 6, 1)
Check = Callable[[Case], Awaitable[None]]


async def check(case: Case) -> None:
    checks: dict[str, Check] = {
        "quantity_break": _check_quantity_break,
        "combined_lists": _check_combined_lists,
        "price_unit": _check_price_unit,
        "rounding": _check_rounding,
        "import": _check_import,
        "scorecard": _check_scorecard,
    }
    await checks[case.whole["kind"]](case)


def _line(price: str, quantity: str, currency: str) -> Line:
    return Line(
        sku="X",
        unit="C62",
        currency=currency,
        price=Decimal(price),
        min_quantity=Decimal(quantity),
    )


async def _check_quantity_break(case: Case) -> None:
    whole = case.whole
    lists = {
        name: Offered(
            id=UUID(int=number),
            name=name,
            kind="base",
            version=1,
            lines=tuple(
                _line(row["price"], row["min_quantity"], whole["currency"])
                for row in whole["lines"]
                if row["supplier"] == name
            ),
        )
        for number, name in enumerate(sorted({row["supplier"] for row in whole["lines"]}))
    }
    for expected in whole["expect"]:
        answer = resolve(
            [lists[expected["supplier"]]],
            quantity=Decimal(expected["quantity"]),
            currency=whole["currency"],
            on=TODAY,
        )
        assert answer.price == Decimal(expected["price"]), (expected, answer.price)
    for expected in whole["cheapest"]:
        quantity = Decimal(expected["quantity"])
        breaks = {name: break_for(offered.lines, quantity) for name, offered in lists.items()}
        prices = {name: won.price for name, won in breaks.items() if won is not None}
        cheapest = min(prices, key=lambda name: prices[name])
        assert cheapest == expected["supplier"], (expected, cheapest)


async def _check_combined_lists(case: Case) -> None:
    whole = case.whole
    lists = [
        Offered(
            id=UUID(int=row["priority"]),
            name=row["list"],
            kind="base",
            version=1,
            priority=row["priority"],
            lines=tuple(
                _line(price, quantity, whole["currency"]) for quantity, price in row["tiers"]
            ),
        )
        for row in whole["lists"]
    ]
    assert _tiers(lists) == whole["expected_tiers"], _tiers(lists)
    public = [offered for offered in lists if offered.name == "site_1"]
    assert _tiers(public) == whole["anonymous_tiers"], _tiers(public)
    for quantity, price, name in whole["expected_tiers"]:
        answer = resolve(
            lists,
            quantity=Decimal(quantity),
            currency=whole["currency"],
            on=TODAY,
            combination="lowest",
        )
        assert answer.offered is not None
        assert (answer.price, answer.offered.name) == (Decimal(price), name), quantity


def _tiers(lists: list[Offered]) -> list[list[str]]:
    owner = {id(line): offered.name for offered in lists for line in offered.lines}
    return [
        [str(line.min_quantity), str(line.price), owner[id(line)]]
        for line in combined_lowest(lists)
    ]


async def _check_price_unit(case: Case) -> None:
    fields = case.whole["fields"]
    price, per = Decimal(fields["NEW_ITEM-PRICE"]), Decimal(fields["NEW_ITEM-PRICEUNIT"])
    assert unit_price(price, per) == Decimal(case.whole["expected_unit_price"])
    quantity, currency = Decimal(fields["NEW_ITEM-QUANTITY"]), fields["NEW_ITEM-CURRENCY"]
    amount = amount_for(price, per, quantity, currency)
    assert amount == Decimal(case.whole["expected_line_amount"]), amount


async def _check_rounding(case: Case) -> None:
    whole = case.whole
    rounded = quotient(Decimal(whole["dividend"]), Decimal(whole["divisor"]), whole["places"])
    assert str(rounded) == whole["expected"], rounded


async def _check_scorecard(case: Case) -> None:
    """Weights of fewer components than ours: the others weigh nothing."""
    given = [int(Decimal(weight)) for weight in case.whole["weights"]]
    padded = [*given, *[0] * (len(COMPONENTS) - len(given))]
    errors = weight_errors(Weights(**dict(zip(COMPONENTS, padded, strict=True))))
    assert ("refused" if errors else "accepted") == case.whole["expected"], errors


def as_csv(rows: list[dict[str, str]]) -> str:
    names = list(rows[0])
    cells = [names, *([row[name] for name in names] for row in rows)]
    return "\n".join(",".join(line) for line in cells)


async def _check_import(case: Case) -> None:
    whole = case.whole
    before: dict[str, str] = whole.get("before", {})
    async with case.world.application() as running:
        shop = await _new_shop(running)
        if before:
            rows = [
                {"sku": sku, "min_quantity": "1", "unit": "item", "price": price, "currency": "USD"}
                for sku, price in before.items()
            ]
            assert (await shop.upload(as_csv(rows), mode="replace"))["state"] == "published"
            assert await shop.prices() == before
        done = await shop.upload(
            as_csv(whole["rows"]),
            mode=whole["mode"],
            dry_run=whole.get("dry_run", False),
            on_error="reject_rows",
        )
        _compare_counts(done["rows"], whole["expected"])
        if done["rows"]["held"] and not whole.get("dry_run"):
            # Ten times the price of yesterday is held until somebody says that it is right.
            answer = await shop.post(done["id"], "commit", confirm_held=done["rows"]["held"])
            assert answer.status_code == 200, answer.text
            await shop.work()
        prices: dict[str, Any] = await shop.prices()
        assert prices == whole["expected_prices"], prices


async def _new_shop(running: Running) -> Shop:
    """A supplier whom the operator approved, with an empty list."""
    from tests.conftest import make_first_operator
    from tests.people import register, unique
    from tests.pricing.conftest import API, Shop

    operator = await make_first_operator(running.database, running.connect)
    person = await register(running.connect, unique("Supplier"), ["supplies"])
    path = f"{API}/organisations/{person.organisation_id}/approve"
    assert (await operator.client.post(path)).status_code == 200
    answer = await person.client.post(f"{API}/price_lists", json={"name": unique("Prices")})
    assert answer.status_code == 201, answer.text
    return Shop(person, running.database, answer.json()["id"])


def _compare_counts(rows: dict[str, int], expected: dict[str, int]) -> None:
    counts = (rows["read"], rows["valid"], rows["invalid"])
    assert counts == (expected["read"], expected["processed"], expected["errors"]), counts
