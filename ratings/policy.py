"""A buyer's rating policy: weights in basis points and every parameter, dated and never changed.

A change is a new version with its own date. Version 0 is the house's own and serves every buyer
that has not made one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from marketplace.kernel.codes import currency_errors, is_currency
from marketplace.kernel.decimals import NotADecimal, parse_decimal
from marketplace.kernel.errors import FieldError
from marketplace.kernel.money import exponent_of

WEIGHT_SUM = 10_000
TRUST_WEIGHT_MAX = 2_000
AHEAD_MAX = timedelta(days=732)
"""A policy may begin this far in the future."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing is rated as of a time before."""
COMPONENTS = ("orders", "volume", "claims", "price", "tenure", "trust")
RATES_MAX = 40
RATE_PLACES_MAX = 12
LANDMARK = datetime(2026, 1, 1, tzinfo=UTC)
"""From where the house's own policy counts; any fixed moment would do."""


class Weights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each component counts, in basis points of the whole; together 10,000.

    orders  how many orders were completed, e.g. `1500`
    volume  how much was bought, e.g. `1500`
    claims  how few orders had an upheld claim, e.g. `3500`
    price   how the prices compare with what others asked, e.g. `2000`
    tenure  for how long one deals with each other, e.g. `1000`
    trust   a credit given by hand; at most 2,000, e.g. `500`
    """

    orders: int
    volume: int
    claims: int
    price: int
    tenure: int
    trust: int

    def of(self, component: str) -> int:
        weight: int = getattr(self, component)
        return weight


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the formulas of RATING name. Money is in minor units of `currency`.

    currency             every amount of the policy is in it, ISO 4217, e.g. `EUR`
    half_life_days       H: after so many days an order counts half, e.g. `365`
    orders_half          N0: so many orders give half of the component, e.g. `10`
    volume_unit_minor    V0, where the logarithm begins to bend, in minor units, e.g. `1000000`
    volume_full_minor    Vref: this volume gives all of the component, in minor units, e.g.
                         `100000000`
    claims_prior_orders  m: how many clean-or-not orders the prior is worth, e.g. `10`
    claims_prior_rate    π: the share of bad orders that is assumed before anything is known, e.g.
                         `0.05`
    claims_rate_max      qmax: this share of bad orders gives nothing, e.g. `0.25`
    maturity_days        after so many days without a claim an order counts as free of them, e.g.
                         `60`
    price_limit          L: a price ratio counts up to exp(±L), e.g. `0.25`
    price_prior_minor    mp: the volume at the reference price that is assumed beforehand, in minor
                         units, e.g. `5000000`
    orders_min           evidence: below so many decayed orders a supplier is not rated yet; a
                         fraction, because the third order finds the first a little faded, e.g.
                         `2.5`
    caution              which upper quantile of q the cautious score uses, e.g. `0.9`
    rates                one unit of another currency in `currency`; what is missing is unknown,
                         e.g. `{"PLN": "0.2341"}`
    """

    currency: str = "EUR"
    half_life_days: int = 365
    orders_half: float = 10.0
    volume_unit_minor: int = 1_000_000
    volume_full_minor: int = 100_000_000
    claims_prior_orders: float = 10.0
    claims_prior_rate: float = 0.05
    claims_rate_max: float = 0.25
    maturity_days: int = 60
    price_limit: float = 0.25
    price_prior_minor: int = 5_000_000
    orders_min: float = 2.5
    caution: float = 0.9
    rates: dict[str, str] = {}

    def half_life(self) -> timedelta:
        return timedelta(days=self.half_life_days)

    def maturity(self) -> timedelta:
        return timedelta(days=self.maturity_days)

    def minor_rate(self, currency: str) -> float | None:
        """Minor units of the policy's currency for one of `currency`; None where no rate is
        known.
        """
        if currency == self.currency:
            return 1.0
        if currency not in self.rates:
            return None
        shift = exponent_of(self.currency) - exponent_of(currency)
        return float(Decimal(self.rates[currency]).scaleb(shift))


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """One version. `id` names it for ever; `landmark` is L0, from which its sums count."""

    id: UUID
    version: int
    valid_from: datetime
    weights: Weights
    parameters: Parameters
    landmark: datetime


DEFAULT = Policy(
    id=UUID("00000000-0000-7000-8000-000000000005"),
    version=0,
    valid_from=LANDMARK,
    weights=Weights(orders=1_500, volume=1_500, claims=3_500, price=2_000, tenure=1_000, trust=500),
    parameters=Parameters(),
    landmark=LANDMARK,
)

# name -> (lowest, highest); a half-life of at least 30 days keeps 2^((t - L0)/H) finite for 70
# years even without re-basing.
_BOUNDS: dict[str, tuple[float, float]] = {
    "half_life_days": (30, 3_650),
    "orders_half": (0.5, 10_000),
    "volume_unit_minor": (1, 10**14),
    "volume_full_minor": (1, 10**15),
    "claims_prior_orders": (0.5, 10_000),
    "claims_prior_rate": (0.001, 0.999),
    "claims_rate_max": (0.001, 1),
    "maturity_days": (0, 730),
    "price_limit": (0.01, 2),
    "price_prior_minor": (1, 10**15),
    "orders_min": (0.1, 1_000),
    "caution": (0.5, 0.999),
}


def weight_errors(weights: Weights) -> list[FieldError]:
    """Each weight at least 0, their sum exactly WEIGHT_SUM, trust at most TRUST_WEIGHT_MAX."""
    errors = [
        FieldError(f"weights.{name}", "out_of_range", f"A weight is 0 to {WEIGHT_SUM}.")
        for name in COMPONENTS
        if not 0 <= weights.of(name) <= WEIGHT_SUM
    ]
    total = sum(weights.of(name) for name in COMPONENTS)
    if not errors and total != WEIGHT_SUM:
        message = f"The weights are {total} basis points together; they must be {WEIGHT_SUM}."
        errors.append(FieldError("weights", "wrong_sum", message))
    if weights.trust > TRUST_WEIGHT_MAX:
        message = f"Trust weighs at most {TRUST_WEIGHT_MAX} basis points."
        errors.append(FieldError("weights.trust", "too_heavy", message))
    return errors


def parameter_errors(parameters: Parameters) -> list[FieldError]:
    """Every parameter that no formula could work with."""
    errors = []
    for name, (low, high) in _BOUNDS.items():
        value = getattr(parameters, name)
        # Not a number is in no range either.
        if not low <= value <= high:
            message = f"This is {low:g} to {high:g}."
            errors.append(FieldError(f"parameters.{name}", "out_of_range", message))
    if not errors and parameters.volume_full_minor < parameters.volume_unit_minor:
        message = "The full volume is not below the unit volume."
        errors.append(FieldError("parameters.volume_full_minor", "below_unit", message))
    errors += currency_errors("parameters.currency", parameters.currency)
    return errors + _rate_errors(parameters)


def _rate_errors(parameters: Parameters) -> list[FieldError]:
    if len(parameters.rates) > RATES_MAX:
        return [FieldError("parameters.rates", "too_many", f"At most {RATES_MAX} rates.")]
    wrong = [
        currency
        for currency, rate in parameters.rates.items()
        if is_currency(currency) and (currency == parameters.currency or not _is_rate(rate))
    ]
    unknown = [
        error
        for currency in parameters.rates
        for error in currency_errors(f"parameters.rates.{currency}", currency)
    ]
    return unknown + [
        FieldError(f"parameters.rates.{currency}", "malformed", "A positive decimal, as 0.92.")
        for currency in wrong
    ]


def _is_rate(text: str) -> bool:
    try:
        rate = parse_decimal(text, whole=10, places=RATE_PLACES_MAX)
    except NotADecimal:
        return False
    return Decimal("1e-9") <= rate <= Decimal("1e9")
