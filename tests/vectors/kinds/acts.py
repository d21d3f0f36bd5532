"""Acts: lines, totals, kinds, numbers, reruns, a worker that dies in between."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from marketplace.kernel.db import SYSTEM
from marketplace.kernel.ids import new_id
from marketplace.ledger.accruing import NewAccrual, accrue
from marketplace.ledger.acts import queries, service
from marketplace.ledger.posting import Rule, Source
from tests.vectors.cases import Case
from tests.vectors.parties import Parties, time_of

RULE = Rule("case", 1, "As the case says")


async def run(case: Case) -> Any:
    async with case.world.database() as database:
        driver = Driver(Parties(database))
        steps = case.input["steps"]
        await driver.parties.add_partners(step["partner"] for step in steps if "partner" in step)
        for step in steps:
            await getattr(driver, step["do"])(step)
        return await driver.outcome()


class Driver:
    def __init__(self, parties: Parties) -> None:
        self.parties = parties
        self._names: dict[str, str] = {}
        self._crash_after: int | None = None

    async def accrue(self, step: dict[str, Any]) -> None:
        source = Source("case", str(new_id()))
        self._names[source.id] = step["id"]
        new = NewAccrual(
            once=f"{step['id']} {source.id}",
            kind="commission",
            beneficiary_id=self.parties.partners[step["partner"]].organisation_id,
            currency=step["currency"],
            amount=step["amount"],
            source=source,
            rule=RULE,
            at=time_of(step["at"]),
        )
        async with self.parties.database.transaction(SYSTEM) as session:
            await accrue(session, new)

    async def crash(self, step: dict[str, Any]) -> None:
        self._crash_after = step["after"]

    async def run(self, step: dict[str, Any]) -> None:
        """As the worker does, with one act in each transaction."""
        actor = await self.parties.operator()
        left, self._crash_after = self._crash_after, None
        now = time_of("2027-02-01")
        async with self.parties.database.transaction(actor) as session:
            view = await service.request_run(session, actor, step["month"], now)
        while left is None or left > 0:
            async with self.parties.database.transaction(SYSTEM) as session:
                found = await queries.run(session, view.id)
                assert found is not None
                if not await service.issue(session, found, 1, now):
                    return
            left = None if left is None else left - 1

    async def outcome(self) -> dict[str, Any]:
        async with self.parties.database.transaction(SYSTEM) as session:
            found = await session.execute(text("SELECT id FROM acts ORDER BY number"))
            acts = await queries.acts_by_ids(session, list(found.scalars()))
            shown = [await self._act(session, act) for act in acts]
            unbilled = await session.execute(
                text(
                    "SELECT beneficiary_id, asset, sum(amount) AS amount FROM accruals"
                    " WHERE act_id IS NULL GROUP BY 1, 2"
                )
            )
            names = self.parties.name_of
            left = {f"{names(row.beneficiary_id)}/{row.asset}": int(row.amount) for row in unbilled}
        control: dict[str, int] = {}
        for act in shown:
            sign = -1 if act["kind"] == 261 else 1
            control[act["currency"]] = control.get(act["currency"], 0) + sign * act["total"]
        return {"acts": shown, "open": left, "control": control}

    async def _act(self, session: Any, act: Any) -> dict[str, Any]:
        return {
            "number": act.number,
            "partner": self.parties.name_of(act.beneficiary_id),
            "currency": act.currency,
            "kind": act.kind,
            "total": act.total_minor,
            "lines": [
                [self._names[accrual.source_id], line.amount_minor]
                for line, accrual, _ in await queries.lines(session, act.id)
            ],
        }
