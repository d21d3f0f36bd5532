"""Rates, CPA, holding periods, refunds, payout runs: by the services of the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from marketplace.kernel.db import SYSTEM
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import exponent_of, parse_minor
from marketplace.ledger import rules, sales
from marketplace.ledger.payouts import service as payouts
from marketplace.ledger.payouts.schemas import NewPayoutRun, PayoutView
from marketplace.ledger.posting import Rule, Source
from marketplace.ledger.terms import CpaTerms, Flat, Percent, Terms, TermsPeriod
from tests.vectors.cases import Case
from tests.vectors.parties import Parties, Refusals, time_of

RULE = Rule("case", 1, "As the case says")
PAYOUTS_MAX = 200


class CpaPeriod(msgspec.Struct, frozen=True):
    from_at: datetime
    to_at: datetime | None
    terms: CpaTerms


async def run(case: Case) -> Any:
    async with case.world.database() as database:
        parties = Parties(database)
        driver = Driver(parties, case.input)
        names = {step["partner"] for step in case.input["steps"] if "partner" in step}
        await parties.add_partners(names | set(case.input["tiers"]))
        for number, step in enumerate(case.input["steps"]):
            with driver.refusals.of(number):
                await getattr(driver, step["do"])(number, step)
        return await driver.outcome()


class Driver:
    """One method a step; `p1` is the first payout of all runs."""

    def __init__(self, parties: Parties, given: dict[str, Any]) -> None:
        self.parties = parties
        self.given = given
        self.refusals = Refusals()
        self.carried: list[dict[str, Any]] = []
        self._sales: dict[str, UUID] = {}
        self._payouts: list[UUID] = []
        self._leads: dict[str, tuple[UUID, UUID, CpaTerms | None]] = {}
        self._sources: dict[str, str] = {}

    async def sale(self, number: int, step: dict[str, Any]) -> None:
        partner_id = self.parties.partners[step["partner"]].organisation_id
        at = time_of(step["at"])
        new = sales.NewSale(
            once=step["id"],
            source=self._source("sale", step["id"]),
            partner_id=partner_id,
            title="Sale",
            currency=step["currency"],
            amount=step["amount"],
            at=at,
            completed_at=at,
            quantity=step.get("quantity", 1),
        )
        period = rules.in_force(self._periods(step["partner"]), at)
        async with self.parties.database.transaction(SYSTEM) as session:
            sale_id = await sales.record(session, new, period.terms if period else None)
        if sale_id is not None:
            self._sales[step["id"]] = sale_id

    def _source(self, kind: str, name: str) -> Source:
        source = Source(kind, str(new_id()))
        self._sources[source.id] = name
        return source

    def _periods(self, partner: str) -> list[TermsPeriod]:
        return [
            TermsPeriod(
                from_at=time_of(period["from"]),
                to_at=time_of(period["to"]) if period["to"] else None,
                terms=Terms(
                    rule=RULE,
                    sale=self._rate(period["tier"]),
                    hold_days=self.given["hold_days"],
                ),
            )
            for period in self.given["tiers"].get(partner, [])
        ]

    def _rate(self, tier: str) -> Percent | Flat | None:
        rate = self.given["rates"].get(tier)
        if rate is None:
            return None
        return Percent(rate["bp"]) if rate["kind"] == "percent" else Flat(rate["flat"])

    async def refund(self, number: int, step: dict[str, Any]) -> None:
        async with self.parties.database.transaction(SYSTEM) as session:
            await sales.refund(
                session,
                self._sales[step["sale"]],
                f"refund {number}",
                step["amount"],
                "Refunded",
                time_of(step["at"]),
            )

    async def lead(self, number: int, step: dict[str, Any]) -> None:
        periods = [
            CpaPeriod(
                time_of(period["from"]),
                time_of(period["to"]) if period["to"] else None,
                CpaTerms(
                    action=period["action"],
                    amount=period["flat"],
                    currency=self.given["currency"],
                    rule=RULE,
                    hold_days=self.given["hold_days"],
                ),
            )
            for period in self.given["cpa"]
        ]
        period = rules.in_force(periods, time_of(step["at"]))
        partner_id = self.parties.partners[step["partner"]].organisation_id
        lead_id = new_id()
        self._sources[str(lead_id)] = step["id"]
        self._leads[step["id"]] = (lead_id, partner_id, period.terms if period else None)

    async def action(self, number: int, step: dict[str, Any]) -> None:
        lead_id, partner_id, frozen = self._leads[step["lead"]]
        async with self.parties.database.transaction(SYSTEM) as session:
            await sales.pay_action(
                session, lead_id, partner_id, frozen, step["action"], time_of(step["at"])
            )

    async def run(self, number: int, step: dict[str, Any]) -> None:
        actor = await self.parties.operator(step["by"])
        await self._set_minimum()
        at = time_of(step["at"])
        async with self.parties.database.transaction(actor) as session:
            view = await payouts.propose(session, actor, NewPayoutRun(until=at), at)
        self._payouts += [payout.id for payout in view.payouts if payout.id is not None]
        self.carried += [
            {
                "step": number,
                "partner": row.partner,
                "currency": row.amount.currency,
                "amount": parse_minor(row.amount.amount, exponent_of(row.amount.currency)),
            }
            for row in sorted(view.carried, key=lambda row: (row.partner, row.amount.currency))
        ]

    async def _set_minimum(self) -> None:
        """The case has one minimum for every partner and currency."""
        currencies = {step["currency"] for step in self.given["steps"] if "currency" in step}
        async with self.parties.database.transaction(SYSTEM) as session:
            for partner in self.parties.partners.values():
                for currency in currencies | {self.given["currency"]}:
                    await payouts.set_payout_terms(
                        session, partner.organisation_id, currency, self.given["minimum"]
                    )

    async def approve(self, number: int, step: dict[str, Any]) -> None:
        actor = await self.parties.operator(step["by"])
        async with self.parties.database.transaction(actor) as session:
            await payouts.approve_payout(session, actor, self._payout(step), _now())

    async def paid(self, number: int, step: dict[str, Any]) -> None:
        actor = await self.parties.operator()
        async with self.parties.database.transaction(actor) as session:
            now = _now()
            await payouts.mark_paid(session, actor, self._payout(step), now, "bank", now)

    async def failed(self, number: int, step: dict[str, Any]) -> None:
        actor = await self.parties.operator()
        async with self.parties.database.transaction(actor) as session:
            await payouts.mark_failed(session, actor, self._payout(step), "Refused", _now())

    def _payout(self, step: dict[str, Any]) -> UUID:
        return self._payouts[int(step["payout"].removeprefix("p")) - 1]

    async def outcome(self) -> dict[str, Any]:
        database = self.parties.database
        async with database.transaction(SYSTEM) as session:
            accruals = await session.execute(
                text("SELECT source_id, amount FROM accruals ORDER BY number")
            )
            views = [await payouts.get_payout(session, payout_id) for payout_id in self._payouts]
            unpaid = await session.execute(
                text(
                    "SELECT beneficiary_id, asset, sum(amount) AS amount FROM accruals"
                    " WHERE payout_id IS NULL GROUP BY 1, 2 HAVING sum(amount) <> 0"
                )
            )
            payable = {
                f"{self.parties.name_of(row.beneficiary_id)}/{row.asset}": int(row.amount)
                for row in unpaid
            }
        return {
            "accruals": [[self._sources[row.source_id], row.amount] for row in accruals],
            "payouts": [_payout(number, view) for number, view in enumerate(views, start=1)],
            "carried": self.carried,
            "payable": payable,
            "refused": self.refusals.rows,
        }


def _now() -> datetime:
    return time_of("2027-01-01")


def _payout(number: int, view: PayoutView) -> dict[str, Any]:
    amount = view.amount
    return {
        "id": f"p{number}",
        "partner": view.partner,
        "currency": amount.currency,
        "amount": parse_minor(amount.amount, exponent_of(amount.currency)),
        "items": view.items,
        "state": view.state,
    }
