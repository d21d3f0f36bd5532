"""The parties of money cases: one operator with its people, and partners, in a fresh database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from marketplace.kernel.actor import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Problem
from tests.ledger.partners import new_colleague, new_organisation


def time_of(text: str) -> datetime:
    """A day is its first moment in UTC."""
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


class Parties:
    """Partners get rising ids in the order of their names, as the cases sort them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._operator: Actor | None = None
        self._people: dict[str, Actor] = {}
        self.partners: dict[str, Actor] = {}

    async def add_partners(self, names: Iterable[str]) -> None:
        for name in sorted(set(names)):
            self.partners[name] = await new_organisation(
                self.database, "partner_manager", name=name
            )

    async def operator(self, name: str = "operator") -> Actor:
        """Somebody of the operator, by name."""
        if self._operator is None:
            self._operator = await new_organisation(self.database, "admin", operator=True)
        if name not in self._people:
            self._people[name] = await new_colleague(self.database, self._operator, "admin")
        return self._people[name]

    def name_of(self, organisation_id: UUID) -> str:
        return next(
            name
            for name, partner in self.partners.items()
            if partner.organisation_id == organisation_id
        )


class Refusals:
    """`with refusals.of(step)`: what the product refuses is noted, not raised."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def of(self, step: int) -> _Refusal:
        return _Refusal(self.rows, step)


class _Refusal:
    def __init__(self, rows: list[dict[str, Any]], step: int) -> None:
        self._rows = rows
        self._step = step

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, Problem):
            self._rows.append({"step": self._step, "code": error.code})
            return True
        return False
