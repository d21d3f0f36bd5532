"""The row of an upload as its worker reads and writes it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from marketplace.kernel.statements import Connection, Pool
from pricing.imports.rules import ENDED, Format, Mode, OnError, State

# One upload of a supplier at a time, the longest waiting first: nobody's thousand files stand
# before somebody else's one. A supplier whose upload is in work is skipped until that is done. One
# that waits for its next attempt holds up later uploads to its own list only: they must not be
# overtaken by it.
_CLAIM = """UPDATE price_imports i SET lease_token = $1, lease_until = $2, attempts = attempts + 1,
        started_at = coalesce(started_at, $3)
    WHERE i.id = (
        SELECT c.id FROM price_imports c
        WHERE c.due_at <= $3 AND c.bytes_total <= coalesce($4, c.bytes_total)
            AND (c.lease_until IS NULL OR c.lease_until <= $3)
            AND NOT EXISTS (SELECT FROM price_imports o WHERE o.supplier_id = c.supplier_id
                AND o.due_at IS NOT NULL AND o.lease_until > $3)
            AND NOT EXISTS (SELECT FROM price_imports e WHERE e.supplier_id = c.supplier_id
                AND e.list_id = c.list_id AND e.due_at IS NOT NULL AND e.attempts > 0
                AND e.id < c.id)
        ORDER BY c.due_at, c.id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING i.id, i.bytes_total"""


class Claimed(NamedTuple):
    import_id: UUID
    bytes_total: int


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker must know of an upload; `reading` and `report` are JSON texts."""

    id: UUID
    list_id: UUID
    supplier_id: UUID
    mode: Mode
    format: Format
    on_error: OnError
    dry_run: bool
    base_version: int | None
    state: State
    attempts: int
    reading: str
    report: str
    validated_version: int | None
    commit_wanted: bool
    confirm_removals: int | None
    accepts_held: bool
    created_by: UUID | None
    committed_by: UUID | None


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker writes beside the state; None leaves a column as it is. `dialect` and `report`
    are JSON texts.
    """

    rows_read: int | None = None
    rows_valid: int | None = None
    rows_invalid: int | None = None
    rows_unchanged: int | None = None
    rows_held: int | None = None
    rows_applied: int | None = None
    bytes_done: int | None = None
    dialect: str | None = None
    report: str | None = None
    validated_version: int | None = None
    version: int | None = None
    failure_code: str | None = None
    failure_detail: str | None = None


_JSON = ("reading", "report")
_UPLOAD = ", ".join(f"{n}::text" if n in _JSON else n for n in Upload.__struct_fields__)


def _noted(first: int) -> str:
    """The columns of Noted from parameter `first` on."""
    return ", ".join(
        f"{name} = coalesce(${place}, {name})"
        for place, name in enumerate(Noted.__struct_fields__, first)
    )


_SESSION = (
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
    # A frozen worker must not keep a list locked; between two statements it thinks for seconds.
    "SET idle_in_transaction_session_timeout = '30s'",
    "SET work_mem = '64MB'",
    "SET enable_nestloop = off",
)


async def prepare(connection: Connection) -> None:
    """Settings for large sets; they end with the pool's clean-up."""
    for statement in _SESSION:
        await connection.execute(statement)


async def claim(
    connection: Connection, token: UUID, now: datetime, until: datetime, bytes_max: int | None
) -> Claimed | None:
    row = await connection.fetchrow(_CLAIM, token, until, now, bytes_max)
    return None if row is None else Claimed(*row)


async def load(connection: Connection, import_id: UUID) -> Upload:
    row = await connection.fetchrow(f"SELECT {_UPLOAD} FROM price_imports WHERE id = $1", import_id)
    return Upload(**row)


async def renew(
    connection: Connection, import_id: UUID, token: UUID, until: datetime, noted: Noted
) -> bool:
    """False when the lease is lost; so with the next ones."""
    done = await connection.execute(
        f"""UPDATE price_imports SET lease_until = $3, {_noted(4)}
        WHERE id = $1 AND lease_token = $2""",
        import_id,
        token,
        until,
        *msgspec.structs.astuple(noted),
    )
    return bool(done == "UPDATE 1")


async def enter(
    connection: Connection,
    import_id: UUID,
    token: UUID,
    state: State,
    now: datetime,
    until: datetime,
    noted: Noted,
) -> bool:
    """Change the state, and note when the stage began."""
    stage = {"name": state, "started_at": now.isoformat(), "ended_at": None}
    done = await connection.execute(
        f"""UPDATE price_imports SET state = $3, lease_until = $4,
            stages = price_stage_entered(stages, $5::jsonb, $6::text), {_noted(7)}
        WHERE id = $1 AND lease_token = $2""",
        import_id,
        token,
        state,
        until,
        msgspec.json.encode(stage).decode(),
        now.isoformat(),
        *msgspec.structs.astuple(noted),
    )
    return bool(done == "UPDATE 1")


async def forget_validation(connection: Connection, import_id: UUID, token: UUID) -> bool:
    """The file is read anew."""
    done = await connection.execute(
        "UPDATE price_imports SET validated_version = NULL WHERE id = $1 AND lease_token = $2",
        import_id,
        token,
    )
    return bool(done == "UPDATE 1")


async def leave(
    connection: Connection, import_id: UUID, token: UUID, state: State, now: datetime, noted: Noted
) -> bool:
    """End the work: `ready` waits for a commit, others are final."""
    done = await connection.execute(
        f"""UPDATE price_imports SET state = $3, lease_token = NULL, lease_until = NULL,
            due_at = NULL, attempts = 0, ended_at = $4,
            stages = price_stage_entered(stages, NULL, $5::text), {_noted(6)}
        WHERE id = $1 AND lease_token = $2""",
        import_id,
        token,
        state,
        now if state in ENDED else None,
        now.isoformat(),
        *msgspec.structs.astuple(noted),
    )
    return bool(done == "UPDATE 1")


async def attempts(connection: Connection, import_id: UUID, token: UUID) -> int | None:
    """None when the lease is lost."""
    count: int | None = await connection.fetchval(
        "SELECT attempts FROM price_imports WHERE id = $1 AND lease_token = $2", import_id, token
    )
    return count


async def put_off(connection: Connection, import_id: UUID, token: UUID, due_at: datetime) -> None:
    await connection.execute(
        "UPDATE price_imports SET lease_until = NULL, lease_token = NULL, due_at = $3"
        " WHERE id = $1 AND lease_token = $2",
        import_id,
        token,
        due_at,
    )


async def give_back(connection: Connection, import_id: UUID, token: UUID) -> None:
    """The attempt does not count."""
    await connection.execute(
        "UPDATE price_imports SET lease_until = NULL, lease_token = NULL, attempts = attempts - 1"
        " WHERE id = $1 AND lease_token = $2",
        import_id,
        token,
    )


async def version_of_list(pool: Pool | Connection, list_id: UUID) -> int:
    version: int = await pool.fetchval("SELECT version FROM price_lists WHERE id = $1", list_id)
    return version


async def drop_chunks(connection: Connection, import_id: UUID) -> None:
    await connection.execute("DELETE FROM price_import_chunks WHERE import_id = $1", import_id)


async def drop_chunks_of_ended(connection: Connection) -> None:
    await connection.execute(
        """DELETE FROM price_import_chunks c USING price_imports i
        WHERE i.id = c.import_id AND i.state = ANY($1)""",
        list(ENDED),
    )


async def cancel_forgotten(connection: Connection, now: datetime, life: timedelta) -> None:
    """Uploads that nobody sent a file for, or committed, for so long."""
    await connection.execute(
        """UPDATE price_imports SET state = 'cancelled', due_at = NULL, ended_at = $1
        WHERE state IN ('ready', 'awaiting_upload') AND created_at < $2""",
        now,
        now - life,
    )
