"""Ratings in words and decimal texts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from marketplace.accounts import queries as accounts
from marketplace.kernel.money import exponent_of, format_minor
from marketplace.kernel.statements import Source
from ratings import rules
from ratings.accumulators import Evidence
from ratings.models import RatingBlock, RatingTrust
from ratings.policy import Policy
from ratings.queries import GivenTrust, StandingBlock, Survey
from ratings.schemas import (
    BlockView,
    ChangesView,
    ComponentView,
    PartyView,
    PolicyRef,
    SurveyView,
    TrustView,
)

RATED, NOT_RATED, FEW = "rated", "not rated yet", "few ratings"


async def parties(source: Source, ids: Iterable[UUID]) -> dict[UUID, PartyView]:
    """Names by id; unknown ids are missing."""
    found = await accounts.public_organisations(source, set(ids))
    return {row.id: PartyView(row.id, row.name) for row in found.values()}


def state(rated: rules.Rated | None) -> str:
    return NOT_RATED if rated is None else RATED


def points(rated: rules.Rated | None) -> str | None:
    """The score as it is shown: one decimal."""
    return None if rated is None else format_minor(rated.tenths, 1)


def one_decimal(value: float) -> str:
    return f"{value:.1f}"


def share(value: float) -> str:
    return f"{value:.4f}"


def difference(before: rules.Rated | None, after: rules.Rated | None) -> str | None:
    """Between the scores as they are shown."""
    if before is None or after is None:
        return None
    return signed(after.tenths - before.tenths)


def signed(tenths: int) -> str:
    return f"{'+' if tenths > 0 else ''}{format_minor(tenths, 1)}"


def explanation(
    rated: rules.Rated | None, evidence: Evidence, policy: Policy
) -> list[ComponentView]:
    """Each component with the figures behind it; nothing while there is no number."""
    if rated is None:
        return []
    because = _because(evidence, policy)
    return [
        ComponentView(
            name=part.name,
            value=share(part.value),
            weight=part.weight,
            contribution=format_minor(part.tenths, 1),
            because=because[part.name],
        )
        for part in rated.parts
    ]


def _because(evidence: Evidence, policy: Policy) -> dict[str, str]:
    sums, parameters = evidence.sums, policy.parameters
    money = format_minor(round(max(0.0, sums.volume)), exponent_of(parameters.currency))
    rate = rules.claim_rate(sums, parameters)
    level = sums.excess / (max(0.0, sums.priced) + parameters.price_prior_minor)
    side = "above" if level > 0 else "below"
    prices = f"{abs(level):.1%} {side} the reference prices"
    months = "1 month" if evidence.active_months == 1 else f"{evidence.active_months} months"
    return {
        "orders": f"{max(0.0, sums.orders):.1f} completed orders, counted by age",
        "volume": f"{money} {parameters.currency}, counted by age",
        "claims": f"{rate:.1%} bad orders expected after {max(0.0, sums.blemish):.1f} upheld claims"
        f" on {max(0.0, sums.matured):.1f} orders past their claim window",
        "price": prices if abs(level) >= 0.0005 else "at the reference prices, or none known",
        "tenure": f"{months} with an order",
        "trust": "credit given by the buyer, fading; one half without any",
    }


def changes(told: rules.Changes) -> ChangesView:
    return ChangesView(per_clean_order=f"{told.clean_order:+.2f}", per_claim=f"{told.claim:+.2f}")


def reference(policy: Policy) -> PolicyRef:
    return PolicyRef(version=policy.version, valid_from=policy.valid_from)


def block(row: RatingBlock | StandingBlock | None) -> BlockView | None:
    return None if row is None else BlockView(reason=row.reason, blocked_at=row.blocked_at)


def trust(row: RatingTrust | GivenTrust | None, now: datetime, *, mine: bool) -> TrustView | None:
    """What counts now; the author and the reason are for the buyer alone."""
    if row is None or row.expires_at <= now:
        return None
    return TrustView(
        credit_bp=row.credit_bp,
        given_at=row.given_at,
        expires_at=row.expires_at,
        reason=row.reason if mine else None,
        author_id=row.author_id if mine else None,
    )


def survey(found: Survey) -> SurveyView:
    if found.answers < rules.SURVEY_ANSWERS_MIN:
        return SurveyView(answers=found.answers, average=None, note=FEW)
    average = one_decimal(found.stars / found.answers)
    return SurveyView(answers=found.answers, average=average, note=None)
