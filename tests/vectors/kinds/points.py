"""Points: pending, lots, prizes with stock, cancellation: by the services of the ledger."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text

from marketplace.kernel.db import SYSTEM
from marketplace.kernel.errors import Conflict
from marketplace.ledger.credits import points, prizes, purses
from marketplace.ledger.models import Accrual
from marketplace.ledger.posting import Rule, Source
from tests.vectors.cases import Case
from tests.vectors.parties import Parties, Refusals, time_of

RULE = Rule("case", 1, "As the case says")
ALL_OF_THEM = 1_000


async def run(case: Case) -> Any:
    async with case.world.database() as database:
        driver = Driver(Parties(database))
        await driver.begin(case.input["prizes"])
        for number, step in enumerate(case.input["steps"]):
            await driver.expire(step)
            with driver.refusals.of(number):
                await getattr(driver, step["do"])(step)
        return await driver.outcome()


class Driver:
    """One method a step. Expiry is looked at in a transaction of its own, as the worker does."""

    def __init__(self, parties: Parties) -> None:
        self.parties = parties
        self.refusals = Refusals()
        self._prizes: dict[str, UUID] = {}
        self._earned: dict[str, UUID] = {}
        self._redeemed: dict[str, UUID] = {}

    async def begin(self, given: dict[str, Any]) -> None:
        await self.parties.add_partners(["A"])
        async with self.parties.database.transaction(SYSTEM) as session:
            for name, prize in given.items():
                self._prizes[name] = await prizes.add_prize(
                    session, name, prize["cost"], prize["stock"], time_of("2000-01-01")
                )

    @property
    def partner_id(self) -> UUID:
        return self.parties.partners["A"].organisation_id

    async def expire(self, step: dict[str, Any]) -> None:
        async with self.parties.database.transaction(SYSTEM) as session:
            await purses.expire(session, points.purse_of(self.partner_id), time_of(step["at"]))

    async def earn(self, step: dict[str, Any]) -> None:
        expires_at = step["expires_at"]
        new = points.Earning(
            once=f"earning {step['id']}",
            points=step["points"],
            source=Source("case", step["id"]),
            rule=RULE,
            at=time_of(step["at"]),
            expires_at=None if expires_at is None else time_of(expires_at),
        )
        async with self.parties.database.transaction(SYSTEM) as session:
            accrual_id = await points.earn(session, self.partner_id, new)
        assert accrual_id is not None
        self._earned[step["id"]] = accrual_id

    async def close(self, step: dict[str, Any]) -> None:
        async with self.parties.database.transaction(SYSTEM) as session:
            until, at = time_of(step["until"]), time_of(step["at"])
            await points.release(session, until, at, ALL_OF_THEM)
        await self.expire(step)

    async def redeem(self, step: dict[str, Any]) -> None:
        partner = self.parties.partners["A"]
        prize_id, at = self._prizes[step["prize"]], time_of(step["at"])
        async with self.parties.database.transaction(partner) as session:
            self._redeemed[step["id"]] = await prizes.redeem(
                session, partner, prize_id, step["quantity"], at
            )

    async def cancel(self, step: dict[str, Any]) -> None:
        if step["id"] not in self._redeemed:
            raise Conflict("not_open", "There is no such redemption.")
        partner = self.parties.partners["A"]
        async with self.parties.database.transaction(partner) as session:
            redemption_id = self._redeemed[step["id"]]
            await prizes.cancel(session, partner, redemption_id, time_of(step["at"]))

    async def reverse(self, step: dict[str, Any]) -> None:
        async with self.parties.database.transaction(SYSTEM) as session:
            accrual = await session.get(Accrual, self._earned[step["earn"]], with_for_update=True)
            assert accrual is not None
            taken = await session.scalar(
                select(func.sum(Accrual.amount)).where(Accrual.reverses == accrual.id)
            )
            left = accrual.amount + int(taken or 0)
            if left:
                once, at = f"reversal {step['earn']}", time_of(step["at"])
                await points.reverse(session, accrual, -left, once, "Reversed", at)

    async def outcome(self) -> dict[str, Any]:
        async with self.parties.database.transaction(SYSTEM) as session:
            sums = await session.execute(
                text(
                    "SELECT a.kind, sum(p.amount) FROM ledger_postings p JOIN ledger_accounts a"
                    " ON a.id = p.account_id GROUP BY a.kind"
                )
            )
            held = {kind: int(amount) for kind, amount in sums}
            expired = await session.scalar(
                text(
                    "SELECT coalesce(sum(p.amount), 0) FROM ledger_postings p"
                    " JOIN ledger_entries e ON e.id = p.entry_id"
                    " JOIN ledger_accounts a ON a.id = p.account_id WHERE a.kind = 'expense'"
                    " AND e.source_kind IN ('expiry', 'redemption')"
                )
            )
            stock = await session.execute(text("SELECT title, stock FROM prizes"))
            stocks = {title: left for title, left in stock}
            lots = await session.execute(
                text(
                    "SELECT source, left_amount FROM ledger_lots WHERE left_amount > 0 ORDER BY id"
                )
            )
            names = {str(accrual_id): name for name, accrual_id in self._earned.items()}
            open_lots = [{"earn": names[source], "left": left} for source, left in lots]
        return {
            "pending": held.get("points_pending", 0),
            "available": held.get("points", 0),
            "spent": held.get("points_spent", 0),
            "expired": int(expired or 0),
            "stock": {name: stocks[name] for name in self._prizes},
            "refused": self.refusals.rows,
            "lots": sorted(open_lots, key=lambda lot: list(self._earned).index(lot["earn"])),
        }
