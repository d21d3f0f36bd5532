"""Lines of a new order: checked, and priced by the supplier's lists where these have a price."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from fractions import Fraction

from marketplace.kernel import units
from marketplace.kernel.codes import currency_errors
from marketplace.kernel.decimals import NotADecimal, parse_decimal
from marketplace.kernel.errors import FieldError, Invalid
from marketplace.kernel.money import exponent_of
from marketplace.kernel.skus import sku_errors
from marketplace.orders import rules
from marketplace.orders.listed import AskedLine, ListPrice
from marketplace.orders.models import Line
from marketplace.orders.schemas import NewLine, NewOrder


def asked_lines(new: NewOrder, added_units: Collection[str]) -> list[AskedLine]:
    """What the lists are asked. `added_units` are codes that the operator loaded. Raises Invalid:
    an unknown currency, every wrong quantity, unit and SKU.
    """
    errors = currency_errors("currency", new.currency)
    asked = [
        AskedLine(
            item_id=each.item_id,
            sku=each.sku,
            quantity=rules.quantity_of(each.quantity, f"lines[{index}].quantity", errors),
            unit=units.code_of(each.unit) or each.unit,
        )
        for index, each in enumerate(new.lines)
    ]
    for index, each in enumerate(new.lines):
        errors += sku_errors(f"lines[{index}].sku", each.sku)
        if each.unit not in added_units:
            errors += units.unit_errors(f"lines[{index}].unit", each.unit)
    _refuse(errors)
    return asked


def priced_lines(new: NewOrder, listed: Sequence[ListPrice | None]) -> list[Line]:
    """At the given price, else at that of the list. Raises Invalid with every wrong field."""
    lines, errors = list[Line](), list[FieldError]()
    for index, (each, found) in enumerate(zip(new.lines, listed, strict=True)):
        lines.append(_line(each, index, new.currency, found, errors))
    if not errors and rules.too_large(line.value_minor for line in lines):
        errors.append(FieldError("lines", "out_of_range", "The order is too large."))
    _refuse(errors)
    return lines


def at_list_prices(lines: Sequence[Line]) -> bool:
    """Whether every line is ordered at the price of a list."""
    return all(line.list_price is not None and line.list_price == line.price for line in lines)


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise Invalid("invalid_order", errors[0].message, errors=errors)


def _line(
    each: NewLine, index: int, currency: str, found: ListPrice | None, errors: list[FieldError]
) -> Line:
    field = f"lines[{index}]"
    quantity = rules.quantity_of(each.quantity, f"{field}.quantity", errors)
    price_unit = rules.quantity_of(each.price_unit, f"{field}.price_unit", errors)
    if each.price is not None:
        price = _given(each, field, currency, errors)
    elif found is not None:
        price, price_unit = found.price, found.price_unit
    else:
        price = Decimal(0)
        message = f"The supplier's lists have no price in {currency} for this: name one."
        errors.append(FieldError(f"{field}.price", "no_list_price", message))
    return Line(
        position=index,
        item_id=each.item_id,
        sku=each.sku,
        name=each.name,
        quantity=quantity,
        unit=units.code_of(each.unit) or each.unit,
        price=price,
        price_unit=price_unit,
        value_minor=rules.line_value(price, price_unit, quantity, exponent_of(currency)),
        delivered=Decimal(0),
        list_price=None if found is None else _per(found, price_unit),
        list_id=None if found is None else found.list_id,
        list_version=None if found is None else found.version,
    )


def _given(each: NewLine, field: str, currency: str, errors: list[FieldError]) -> Decimal:
    """As many decimals as a price list has: only what a line costs is rounded."""
    assert each.price is not None, "asked by the caller"
    if each.price.currency != currency:
        message = f"The order is in {currency}."
        errors.append(FieldError(f"{field}.price.currency", "other_currency", message))
    try:
        price = parse_decimal(each.price.amount)
    except NotADecimal as wrong:
        errors.append(wrong.at(f"{field}.price.amount", "malformed"))
        return Decimal(0)
    if price < 0:
        errors.append(FieldError(f"{field}.price.amount", "out_of_range", "Not below zero."))
        return Decimal(0)
    return price


def _per(found: ListPrice, price_unit: Decimal) -> Decimal:
    """The list's price for `price_unit` units, so that it can be set beside the line's own."""
    exact = Fraction(found.price) / Fraction(found.price_unit) * Fraction(price_unit)
    return rules.to_places(exact, rules.PRICE_PLACES)
