"""Parameters, scores, thresholds, certificates, approvals: which tier a partner has and reaches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.db import SYSTEM
from marketplace.kernel.errors import Forbidden, Problem
from marketplace.kernel.facts import Facts
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import exponent_of, parse_minor
from marketplace.kernel.statements import Source
from marketplace.ledger.models import Sale
from suppliers.programme.measures import Asked, Measure, Measures
from suppliers.programme.models import Agreement, Certificate, Programme, ProgrammeVersion
from suppliers.programme.schemas.agreements import Approval
from suppliers.programme.service import agreements, standing
from suppliers.programme.service.agreements import Desk
from tests.vectors.cases import Case
from tests.vectors.partners import BEGINNING, actor, organisation, person

TYPE = "partner"
EUR = "EUR"


async def run(case: Case) -> dict[str, Any]:
    asked = case.input
    async with case.world.shared() as database, database.session(SYSTEM) as session:
        operator_id = await organisation(session, operator=True)
        partner_id = await organisation(session)
        manager = await actor(session, operator_id, "channel_manager", operator=True)
        own = await actor(session, partner_id, "partner_manager")
        agreement = await _agreed(session, asked, manager, partner_id)
        await _certify(session, asked, agreement, manager)
        _sell(session, asked, partner_id)
        await session.flush()
        desk = Desk(facts=Facts(), measures=Measures(*_given(asked)))
        refused = []
        for number, approval in enumerate(asked.get("approvals", [])):
            by = own if approval.get("by") == "partner" else manager
            code = await _approve(session, desk, by, agreement.id, approval)
            if code is not None:
                refused.append({"approval": number, "code": code})
        judged = await standing.judge(session, desk.measures, agreement, _time(asked["at"]))
        answer = _answer(judged, agreement)
    return answer | ({"refused": refused} if "approvals" in asked else {})


def _answer(judged: standing.Judged, agreement: Agreement) -> dict[str, Any]:
    following = judged.standing.next
    return {
        "scores": judged.standing.scores,
        "eligible": judged.standing.eligible,
        "tier": agreement.tier,
        "next": following
        and {
            "tier": following.tier,
            "missing": following.missing,
            "gaps": [
                {"code": gap.key.measure, "distance": standing.value_text(gap.distance)}
                for gap in following.gaps
            ],
        },
    }


async def _approve(
    session: AsyncSession, desk: Desk, by: Actor, agreement_id: UUID, approval: dict[str, Any]
) -> str | None:
    """None, or why it was refused."""
    wanted = Approval(tier=approval["tier"])
    at = _time(approval["at"])
    try:
        await agreements.approve(session, desk, by, agreement_id, wanted, at)
    except Forbidden:
        return "forbidden"
    except Problem as problem:
        return problem.code
    return None


async def _agreed(
    session: AsyncSession, asked: dict[str, Any], manager: Actor, partner_id: UUID
) -> Agreement:
    programme = Programme(
        id=new_id(),
        operator_id=manager.organisation_id,
        name="Partners",
        currency=asked.get("currency", EUR),
        author_id=manager.user_id,
        created_at=BEGINNING,
    )
    session.add(programme)
    await session.flush()
    for number, tiers in asked["versions"].items():
        session.add(
            ProgrammeVersion(
                programme_id=programme.id,
                version=int(number),
                tiers=[_tier(tier, asked.get("period_days")) for tier in tiers],
                author_id=manager.user_id,
                created_at=BEGINNING,
                published_at=BEGINNING,
            )
        )
    await session.flush()
    agreement = Agreement(
        id=new_id(),
        operator_id=manager.organisation_id,
        partner_id=partner_id,
        programme_id=programme.id,
        version=int(asked["agreement"]["version"]),
        partner_type=TYPE,
        tier=asked["agreement"]["tier"],
        begins=BEGINNING,
        payout={"asset": EUR, "minimum": "0", "hold_days": 0},
        state="active",
        author_id=manager.user_id,
        created_at=BEGINNING,
        updated_at=BEGINNING,
    )
    session.add(agreement)
    await session.flush()
    return agreement


def _tier(tier: dict[str, Any], period_days: int | None) -> dict[str, Any]:
    return {
        "code": tier["tier"],
        "partner_type": TYPE,
        "threshold": tier["threshold"],
        "parameters": [
            {
                "measure": each["code"],
                "target": each["target"],
                "score": each["score"],
                "direction": each.get("direction", "at_least"),
                "period_days": each.get(
                    "period_days", period_days if each["code"] == "sales" else None
                ),
            }
            for each in tier["parameters"]
        ],
        "reward": {"sale_percent": "0", "fund_percent": "0"},
    }


def _given(asked: dict[str, Any]) -> list[Measure]:
    """Values that the case states itself; a measure of which it says nothing has no value."""
    codes = {
        each["code"]
        for tiers in asked["versions"].values()
        for tier in tiers
        for each in tier["parameters"]
    }
    measured = {name for name in ("sales", "certificates") if name in asked}
    return [_stated(code, asked.get("values", {}).get(code)) for code in sorted(codes - measured)]


def _stated(code: str, value: str | None) -> Measure:
    async def read(source: Source, asked: Asked) -> dict[UUID, Decimal]:
        return {} if value is None else dict.fromkeys(asked.partners, Decimal(value))

    return Measure(code=code, unit="count", title=code, feeds="the case", read=read)


async def _certify(
    session: AsyncSession, asked: dict[str, Any], agreement: Agreement, manager: Actor
) -> None:
    people: dict[str, UUID] = {}
    for each in asked.get("certificates", []):
        if each["person"] not in people:
            left = BEGINNING if each.get("member") is False else None
            people[each["person"]] = await person(session, agreement.partner_id, disabled_at=left)
        issued = _time(each["issued_at"])
        session.add(
            Certificate(
                id=new_id(),
                agreement_id=agreement.id,
                partner_id=agreement.partner_id,
                user_id=people[each["person"]],
                course=each["course"],
                issued_at=issued,
                expires_at=each.get("expires_at") and _time(each["expires_at"]),
                author_id=manager.user_id,
                created_at=issued,
                revoked_at=issued + timedelta(seconds=1) if each.get("revoked") else None,
            )
        )


def _sell(session: AsyncSession, asked: dict[str, Any], partner_id: UUID) -> None:
    sales: Sequence[dict[str, Any]] = asked.get("sales", [])
    for sale in sales:
        exponent = exponent_of(sale["currency"])
        session.add(
            Sale(
                id=new_id(),
                partner_id=partner_id,
                source_kind="sale",
                source_id=str(new_id()),
                once=str(new_id()),
                title="Sale",
                currency=sale["currency"],
                amount_minor=parse_minor(sale["amount"], exponent),
                refunded_minor=parse_minor(sale.get("reversed", "0"), exponent),
                at=_time(sale["won_at"]),
                completed_at=_time(sale["won_at"]),
            )
        )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
