"""Marketing funds by the services of the ledger: credit, reserve, claim, release, reverse."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from sqlalchemy import text

from marketplace.kernel.db import SYSTEM
from marketplace.kernel.errors import Conflict
from marketplace.kernel.ids import new_id
from marketplace.ledger import sales
from marketplace.ledger.credits import funds, purses, requests
from marketplace.ledger.models import Fund
from marketplace.ledger.posting import Rule, Source
from marketplace.ledger.terms import Terms
from tests.vectors.cases import Case
from tests.vectors.parties import Parties, Refusals, time_of

RULE = Rule("case", 1, "As the case says")
NAMES = {
    "expense": "programme",
    "fund_available": "available",
    "fund_reserved": "reserved",
    "fund_spent": "spent",
}
LAST_DAY = time_of("2000-01-01")


async def check(case: Case) -> None:
    async with case.world.database() as database:
        driver = Driver(Parties(database))
        await driver.begin()
        for number, step in enumerate(case.input["steps"]):
            await driver.step(number, step)
        outcome = await driver.outcome()
    if "outcomes" in case.expected:
        end = {"accepted": sorted(driver.requests), "balances": outcome["balances"]}
        assert end in case.expected["outcomes"], (end, case.expected["outcomes"])
    else:
        assert outcome == case.expected, (outcome, case.expected)


class Driver:
    """One method a step. Expiry is looked at in a transaction of its own, as the worker does."""

    def __init__(self, parties: Parties) -> None:
        self.parties = parties
        self.refusals = Refusals()
        self.requests: dict[str, UUID] = {}
        self._sales: dict[str, UUID] = {}
        self._fund: Fund | None = None

    async def begin(self) -> None:
        await self.parties.add_partners(["A"])
        async with self.parties.database.transaction(SYSTEM) as session:
            partner_id = self.parties.partners["A"].organisation_id
            self._fund = await funds.fund_of(session, partner_id, "EUR", LAST_DAY)

    @property
    def fund(self) -> Fund:
        assert self._fund is not None, "begun"
        return self._fund

    async def step(self, number: int, step: dict[str, Any]) -> None:
        await self.expire(number, step)
        if step["do"] == "together":
            await asyncio.gather(
                *(self._one(number, one | {"at": step["at"]}) for one in step["steps"])
            )
        elif step["do"] != "expire":
            await self._one(number, step)

    async def _one(self, number: int, step: dict[str, Any]) -> None:
        with self.refusals.of(number):
            await getattr(self, step["do"])(number, step)

    async def expire(self, number: int, step: dict[str, Any]) -> None:
        async with self.parties.database.transaction(SYSTEM) as session:
            await purses.expire(session, funds.purse_of(self.fund), time_of(step["at"]))

    async def credit(self, number: int, step: dict[str, Any]) -> None:
        at = time_of(step["at"])
        expires_at = step.get("expires_at")
        new = sales.NewSale(
            once=step["id"],
            source=Source("case", str(new_id())),
            partner_id=self.fund.partner_id,
            title="Sale",
            currency="EUR",
            amount=step["sale"],
            at=at,
            completed_at=at,
        )
        days = None if expires_at is None else (time_of(expires_at) - at).days
        terms = Terms(rule=RULE, fund_bp=step["percent_bp"], fund_days=days)
        async with self.parties.database.transaction(SYSTEM) as session:
            sale_id = await sales.record(session, new, terms)
        assert sale_id is not None
        self._sales[step["id"]] = sale_id

    async def allocate(self, number: int, step: dict[str, Any]) -> None:
        expires_at = step.get("expires_at")
        new = funds.Credit(
            once=f"allocation {step['id']}",
            amount=step["amount"],
            source=Source("allocation", step["id"]),
            rule=RULE,
            at=time_of(step["at"]),
            expires_at=None if expires_at is None else time_of(expires_at),
        )
        async with self.parties.database.transaction(SYSTEM) as session:
            await funds.credit(session, self.fund, new)

    async def reverse(self, number: int, step: dict[str, Any]) -> None:
        async with self.parties.database.transaction(SYSTEM) as session:
            await sales.refund(
                session,
                self._sales[step["credit"]],
                f"refund {number}",
                step["sale"],
                "Refunded",
                time_of(step["at"]),
            )

    async def request(self, number: int, step: dict[str, Any]) -> None:
        partner, operator = self.parties.partners["A"], await self.parties.operator()
        at = time_of(step["at"])
        async with self.parties.database.transaction(partner) as session:
            row = await requests.request(
                session, partner, self.fund.id, step["amount"], "A fair", at
            )
        self.requests[step["id"]] = row.id
        async with self.parties.database.transaction(operator) as session:
            await requests.act(session, operator, row.id, "approve", None, at)

    async def claim(self, number: int, step: dict[str, Any]) -> None:
        partner, operator = self.parties.partners["A"], await self.parties.operator()
        request_id, at = self._known(step), time_of(step["at"])
        async with self.parties.database.transaction(partner) as session:
            claimed = await requests.claim(
                session, partner, request_id, step["amount"], at, final=step.get("final", True)
            )
        async with self.parties.database.transaction(operator) as session:
            await requests.settle(session, operator, request_id, claimed, at)

    async def release(self, number: int, step: dict[str, Any]) -> None:
        partner, request_id = self.parties.partners["A"], self._known(step)
        try:
            async with self.parties.database.transaction(partner) as session:
                await requests.act(
                    session, partner, request_id, "withdraw", None, time_of(step["at"])
                )
        except Conflict as refusal:
            raise Conflict("not_open", refusal.detail) from refusal

    def _known(self, step: dict[str, Any]) -> UUID:
        """A request that was never accepted has no id to ask with."""
        if step["id"] not in self.requests:
            raise Conflict("not_open", "There is no such request.")
        return self.requests[step["id"]]

    async def outcome(self) -> dict[str, Any]:
        async with self.parties.database.transaction(SYSTEM) as session:
            rows = (
                await session.execute(
                    text(
                        "SELECT p.entry_id, a.kind, p.amount FROM ledger_postings p"
                        " JOIN ledger_entries e ON e.id = p.entry_id"
                        " JOIN ledger_accounts a ON a.id = p.account_id"
                        " WHERE a.kind = ANY (:kinds) ORDER BY e.number, p.position"
                    ),
                    {"kinds": list(NAMES)},
                )
            ).all()
        balances = dict.fromkeys(NAMES.values(), 0)
        entries: dict[UUID, list[list[Any]]] = {}
        for out_of, into in zip(rows[::2], rows[1::2], strict=True):
            transfer = [NAMES[out_of.kind], NAMES[into.kind], into.amount]
            entries.setdefault(into.entry_id, []).append(transfer)
            balances[transfer[0]] -= into.amount
            balances[transfer[1]] += into.amount
        return {
            "balances": balances,
            "refused": self.refusals.rows,
            "entries": list(entries.values()),
        }
