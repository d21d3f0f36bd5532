"""Leases of long jobs: a worker holds the row of its work until `lease_until` and renews that; when
it dies, another worker takes the row over.

Every write of a worker depends on its token, so one that was frozen and wakes up late changes
nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from marketplace.kernel.statements import Source, Statement


class LeaseLost(Exception):
    """Cancelled, or another worker has it; leave everything as it is."""


class Lease(msgspec.Struct, frozen=True):
    """row_id  the row of the work
    token   made for this claim; the row has another one once somebody else has taken it over
    """

    row_id: UUID
    token: UUID


class Leases:
    """Leases on the rows of one table, which has the columns `id`, `lease_token` and `lease_until`.
    Which row is claimed next is the table's own statement; it sets the two.

    length  how long a dead worker holds up its work; renewed well before
    """

    def __init__(self, table: str, length: timedelta) -> None:
        held = "WHERE id = :row_id AND lease_token = :token"
        self.length = length
        self._renew = Statement(f"UPDATE {table} SET lease_until = :until {held} RETURNING id")  # noqa: S608  # a constant of a module
        self._end = Statement(
            f"UPDATE {table} SET lease_token = NULL, lease_until = NULL {held} RETURNING id"  # noqa: S608
        )

    async def renew(self, source: Source, lease: Lease, now: datetime) -> None:
        """Hold the row for another `length`, and locked until the transaction ends, so what follows
        in it is this worker's alone. Raises LeaseLost.
        """
        until = now + self.length
        values = {"row_id": lease.row_id, "token": lease.token, "until": until}
        if await self._renew.row(source, **values) is None:
            raise LeaseLost

    async def end(self, source: Source, lease: Lease) -> None:
        """The work is done, or another worker may begin at once. Raises LeaseLost."""
        if await self._end.row(source, row_id=lease.row_id, token=lease.token) is None:
            raise LeaseLost
