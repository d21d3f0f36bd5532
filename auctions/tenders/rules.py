"""What a tender must satisfy: its content, and in which state what is possible."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum

from marketplace.kernel.decimals import NotADecimal, parse_decimal, parse_quantity
from marketplace.kernel.errors import Conflict, FieldError, Invalid
from marketplace.kernel.money import Amount, NotAnAmount, exponent_of, parse_minor
from marketplace.kernel.units import unit_errors

LOTS_MAX, ITEMS_MAX, INVITATIONS_MAX = 100, 500, 500
TITLE_CHARS_MAX, TEXT_CHARS_MAX, UNIT_CHARS_MAX = 200, 10_000, 20
RULES_BYTES_MAX = 65_536
BONUS_PERCENT_MAX = 50

PERCENT_DIGITS_MAX, PERCENT_PLACES_MAX = 3, 4


class TenderState(StrEnum):
    """The life of a tender, from the draft to one of the last three, where it ends."""

    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting_approval"
    PUBLISHED = "published"
    OPENED = "opened"
    IN_AUCTION = "in_auction"
    AWARDING = "awarding"
    AWARDED = "awarded"
    CANCELLED = "cancelled"
    UNSUCCESSFUL = "unsuccessful"


class AuctionState(StrEnum):
    """What the tender knows of a lot's auction; the minute-by-minute truth is in its log."""

    SCHEDULED = "scheduled"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class OfferState(StrEnum):
    SEALED = "sealed"
    WITHDRAWN = "withdrawn"
    OPENED = "opened"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class AwardState(StrEnum):
    PROPOSED = "proposed"
    AWAITING_APPROVAL = "awaiting_approval"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Access(StrEnum):
    INVITED = "invited"
    OPEN = "open"


HIDDEN = frozenset([TenderState.DRAFT, TenderState.AWAITING_APPROVAL])
"""States in which a tender exists for its buyer only."""


def require_state(state: str, *allowed: TenderState, doing: str) -> None:
    """Raises Conflict (`wrong_state`) unless `state` is one of `allowed`."""
    if state not in allowed:
        raise Conflict("wrong_state", f"A tender that is {state} cannot be {doing}.")


def item_errors(field: str, quantity: str, unit: str) -> Iterable[FieldError]:
    """`field` is the path of the item, such as `lots[0].items[2]`."""
    try:
        parse_quantity(quantity)
    except NotADecimal as wrong:
        message = "A quantity is a decimal string above zero."
        yield FieldError(f"{field}.quantity", "bad_quantity", message, wrong.hint)
    yield from unit_errors(f"{field}.unit", unit)


def ceiling_minor(
    field: str, ceiling: Amount | None, currency: str
) -> tuple[int | None, list[FieldError]]:
    """The ceiling in minor units of the tender's currency, and what is wrong with it."""
    if ceiling is None:
        return None, []
    if ceiling.currency != currency:
        wrong = f"The lots of this tender are priced in {currency}."
        return None, [FieldError(f"{field}.currency", "other_currency", wrong)]
    try:
        minor = parse_minor(ceiling.amount, exponent_of(currency))
    except NotAnAmount as error:
        return None, [FieldError(f"{field}.amount", error.code, error.detail)]
    if minor <= 0:
        return None, [FieldError(f"{field}.amount", "out_of_range", "A ceiling is above zero.")]
    return minor, []


def bonus_errors(field: str, percent: str) -> Iterable[FieldError]:
    """A bonus is taken off the bidder's price before ranking; a malus is negative."""
    number = _percent(percent)
    if number is None or not -BONUS_PERCENT_MAX <= number <= BONUS_PERCENT_MAX:
        yield FieldError(
            field,
            "out_of_range",
            f"A percent from -{BONUS_PERCENT_MAX} to {BONUS_PERCENT_MAX}, as a decimal string.",
        )


def is_rating(text: str) -> bool:
    """A decimal from 0 to 100, as in `min_rating` of a lot's rules."""
    number = _percent(text)
    return number is not None and 0 <= number <= 100


def _percent(text: str) -> Decimal | None:
    try:
        return parse_decimal(text, whole=PERCENT_DIGITS_MAX, places=PERCENT_PLACES_MAX)
    except NotADecimal:
        return None


def gate_errors(
    field: str, score: str | None, blocked: str | None, lowest: str | None
) -> Iterable[FieldError]:
    """Why a supplier may not be invited: blocked by the buyer, or rated below what every lot asks.
    Not rated yet is not a low rating.
    """
    if blocked is not None:
        yield FieldError(field, "supplier_blocked", f"You have blocked this supplier: {blocked}")
    elif score is not None and lowest is not None and Decimal(score) < Decimal(lowest):
        message = f"Rated {score}; every lot asks for {lowest} or more."
        yield FieldError(field, "rating_too_low", message)


def raise_if(errors: list[FieldError]) -> None:
    """One Invalid with every error, in the order given."""
    if not errors:
        return
    first = errors[0]
    detail = first.message if len(errors) == 1 else f"{len(errors)} fields are wrong."
    raise Invalid(first.code if len(errors) == 1 else "invalid_tender", detail, errors=errors)


def below(prefix: str, error: FieldError) -> FieldError:
    """The same error with its field moved under `prefix`: `step.value` to
    `lots[0].rules.step.value`.
    """
    field = f"{prefix}.{error.field}" if error.field else prefix
    return FieldError(field, error.code, error.message, error.hint)
