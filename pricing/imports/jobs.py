"""The worker's side of an upload: claim, read, validate, publish, and take over from the dead."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from pricing.catalogue import mapping
from pricing.imports import (
    failures,
    fingerprints,
    intake,
    lease,
    publish,
    remembered,
    staging,
    uploads,
)
from pricing.imports.asked import find_columns, source_of, subject_of
from pricing.imports.compare import Report, Subject
from pricing.imports.dialect import Unreadable
from pricing.imports.intake import PARSING_AT_ONCE, Intake
from pricing.imports.known import PART_ROWS, KnownRows
from pricing.imports.lease import Lease, LeaseLost
from pricing.imports.opening import Ask
from pricing.imports.publish import ListMoved, Publication
from pricing.imports.rules import base_is_behind, state_after_check
from pricing.imports.validate import validate

IMPORTS_AT_ONCE = 6
LARGE_AT_ONCE = 4
CLAIM_EVERY_S = 0.25
TRIES_MAX = 5
READY_LIFE = timedelta(days=7)
_SESSION = (
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
    # A frozen worker must not keep a list locked; between two statements it thinks for seconds.
    "SET idle_in_transaction_session_timeout = '30s'",
    "SET work_mem = '64MB'",
    "SET enable_nestloop = off",
)

_log = structlog.get_logger(__name__)


async def work_imports(database: Database, clock: Clock) -> None:
    """Work until nothing is due. Safe on any number of workers at once."""
    pool = await database.pool()
    turns = asyncio.Semaphore(PARSING_AT_ONCE)
    running: dict[asyncio.Task[None], bool] = {}
    async with asyncio.TaskGroup() as group:
        while True:
            while len(running) < IMPORTS_AT_ONCE:
                large = sum(running.values()) < LARGE_AT_ONCE
                async with pool.acquire() as connection:
                    mine = await lease.claim(connection, clock.now(), large=large)
                if mine is None:
                    break
                task = group.create_task(_work(pool, clock, mine, turns))
                running[task] = await _is_large(pool, mine.import_id)
            if not running:
                return
            done, _ = await asyncio.wait(
                running, timeout=CLAIM_EVERY_S, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                del running[task]


async def _is_large(pool: Any, import_id: UUID) -> bool:
    size = await pool.fetchval("SELECT bytes_total FROM price_imports WHERE id = $1", import_id)
    return bool(size and size > lease.SMALL_BYTES)


async def sweep_imports(database: Database, clock: Clock) -> None:
    """Drop what ended uploads left behind, and end those that nobody committed for a week."""
    pool = await database.pool()
    async with pool.acquire() as connection:
        await connection.execute(
            """UPDATE price_imports SET state = 'cancelled', due_at = NULL, ended_at = $1
            WHERE state IN ('ready', 'awaiting_upload') AND created_at < $2""",
            clock.now(),
            clock.now() - READY_LIFE,
        )
        for import_id in await staging.leftovers(connection):
            await staging.drop(connection, staging.tables_of(import_id))
        await connection.execute(
            """DELETE FROM price_import_chunks c USING price_imports i WHERE i.id = c.import_id
            AND i.state IN ('published', 'failed', 'cancelled', 'rolled_back')"""
        )


async def _work(pool: Any, clock: Clock, mine: Lease, turns: asyncio.Semaphore) -> None:
    """One upload as far as it goes. What goes wrong here never reaches another supplier's."""
    job = _Job(pool, clock, mine, turns)
    try:
        await job.run()
    except* LeaseLost:
        _log.info("price_import_left", import_id=str(mine.import_id))
    except* Exception as errors:  # noqa: BLE001  # one upload's errors end here, all of them
        await job.broke(errors)


class _Job:
    def __init__(self, pool: Any, clock: Clock, mine: Lease, turns: asyncio.Semaphore) -> None:
        self._pool = pool
        self._clock = clock
        self._lease = mine
        self._turns = turns
        self._tables = staging.tables_of(mine.import_id)
        self._progress: dict[str, int] = {}
        self._known: KnownRows | None = None
        self._read: Intake | None = None
        self._left = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(self._beat())
            try:
                async with self._pool.acquire() as connection:
                    for statement in _SESSION:
                        await connection.execute(statement)
                    await self._guarded(connection)
            finally:
                beating.cancel()
                self._forget()

    def _forget(self) -> None:
        for kept in (self._read, self._known):
            if kept is not None:
                kept.close()
        self._read = self._known = None

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(lease.HEARTBEAT_S / 2)
            try:
                async with self._pool.acquire() as connection:
                    await lease.renew(connection, self._lease, self._clock.now(), **self._progress)
            except LeaseLost:
                if self._left:
                    return
                raise

    async def _guarded(self, connection: Any) -> None:
        try:
            row = await connection.fetchrow(
                "SELECT * FROM price_imports WHERE id = $1", self._lease.import_id
            )
            if row["attempts"] > lease.ATTEMPTS_MAX:
                raise Unreadable(
                    "gave_up",
                    f"{lease.ATTEMPTS_MAX} attempts were interrupted; nothing was changed. "
                    "Upload the file again, in parts if it is large.",
                )
            await self._process(connection, row)
        except Unreadable as wrong:
            if wrong.dialect is not None:
                told = msgspec.json.encode(wrong.dialect).decode()
                await lease.renew(connection, self._lease, self._clock.now(), dialect=told)
            await self._end(connection, "failed", wrong.code, wrong.detail)
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back())
            raise

    async def broke(self, errors: BaseExceptionGroup[Exception]) -> None:
        """Let another attempt follow where it may help, and else fail the upload now: its owner
        reads why, and what they uploaded to this list after it goes on.
        """
        reference = failures.new_reference()
        names = {"import_id": str(self._lease.import_id), "reference": reference}
        try:
            async with self._pool.acquire() as connection:
                if failures.may_pass(errors):
                    _log.warning("price_import_interrupted", **names, exc_info=errors)
                    await lease.put_off(connection, self._lease, self._clock.now())
                else:
                    _log.error("price_import_broke", **names, exc_info=errors)
                    await self._end(connection, "failed", "internal_error", _internal(reference))
        except LeaseLost:
            return
        except Exception as unreachable:  # noqa: BLE001  # then the lease runs out by itself
            _log.warning("price_import_left_to_its_lease", **names, exc_info=unreachable)

    async def _give_back(self) -> None:
        async with self._pool.acquire() as connection:
            await lease.give_back(connection, self._lease)

    async def _leave(self, connection: Any, state: str, **columns: Any) -> None:
        # The heartbeat may come a moment later and must not take this for a loss.
        self._left = True
        await lease.leave(
            connection, self._lease, state, self._clock.now(), **self._progress, **columns
        )

    async def _end(self, connection: Any, state: str, code: str, detail: str) -> None:
        await self._leave(connection, state, failure_code=code, failure_detail=detail)
        await self._tidy(connection)

    async def _tidy(self, connection: Any) -> None:
        await staging.drop(connection, self._tables)
        await connection.execute(
            "DELETE FROM price_import_chunks WHERE import_id = $1", self._lease.import_id
        )

    async def _process(self, connection: Any, row: Any) -> None:
        report = await self._validated_before(connection, row)
        for _ in range(TRIES_MAX):
            if report is None:
                await publish.settle(connection, row["list_id"])
                subject = await subject_of(connection, row)
                _refuse_stale_base(row, subject.version)
                report = await self._check(connection, row, subject)
                version = subject.version
            else:
                version = row["validated_version"]
            if report.rejected and row["on_error"] == "reject_all":
                await self._end(connection, "failed", "rows_invalid", _invalid(report))
                return
            if await self._waits(connection, row, report, version):
                return
            try:
                await self._publish(connection, row, report, version)
            except ListMoved:
                report = None
                continue
            await mapping.map_list(connection, row["supplier_id"], row["list_id"])
            await self._tidy(connection)
            return
        raise Unreadable("list_busy", "Other uploads to the same list were always faster.")

    async def _validated_before(self, connection: Any, row: Any) -> Report | None:
        """The report of a validated upload whose rows are still staged and whose list stands."""
        if row["state"] != "publishing" or row["validated_version"] is None:
            return None
        report = msgspec.json.decode(row["report"], type=Report)
        version = await connection.fetchval(
            "SELECT version FROM price_lists WHERE id = $1", row["list_id"]
        )
        if version != row["validated_version"]:
            return None
        whole = await staging.is_whole(
            connection, self._tables, staged=report.staged, ended=report.ended_lines
        )
        return report if whole else None

    async def _check(self, connection: Any, row: Any, subject: Subject) -> Report:
        self._forget()
        now = self._clock.now()
        await lease.enter(connection, self._lease, "reading", now, validated_version=None)
        source = await source_of(connection, row)
        self._read = read = await intake.run(
            connection,
            source,
            lambda: uploads.stored(self._pool, row["id"]),
            turns=self._turns,
            ask=Ask(
                known_rows=lambda reading: self._find_known(row, reading),
                remembered=lambda headers: find_columns(self._pool, row["supplier_id"], headers),
            ),
            progress=self._note,
        )
        await self._note(read)
        await remembered.remember(
            connection, row["supplier_id"], row["list_id"], source.given, read.dialect.header, now
        )
        await lease.enter(
            connection,
            self._lease,
            "validating",
            self._clock.now(),
            dialect=msgspec.json.encode(read.dialect).decode(),
            **self._progress,
        )
        report = await validate(connection, self._tables, row["id"], subject, read, self._known)
        await staging.close_doors(connection, self._tables, subject.supplier_id)
        self._progress |= {
            "rows_valid": report.added + report.changed + report.same + report.known + report.held,
            "rows_invalid": report.rejected,
            "rows_unchanged": report.same + report.known,
            "rows_held": report.held,
        }
        return report

    async def _waits(self, connection: Any, row: Any, report: Report, version: int) -> bool:
        """Whether the upload stays `ready` until somebody commits it."""
        state = state_after_check(
            dry_run=row["dry_run"],
            commit_wanted=row["commit_wanted"],
            confirmed_removals=row["confirm_removals"],
            removed_skus=report.removed_skus if row["mode"] == "replace" else 0,
            former_skus=report.former_skus,
        )
        columns = {
            "report": msgspec.json.encode(report).decode(),
            "validated_version": version,
        }
        if state == "ready":
            await self._leave(connection, "ready", **columns)
            return True
        columns |= self._progress
        await lease.enter(connection, self._lease, "publishing", self._clock.now(), **columns)
        return False

    async def _publish(self, connection: Any, row: Any, report: Report, version: int) -> None:
        async with connection.transaction():
            published = await publish.write(
                connection,
                self._tables,
                Publication(
                    row["id"],
                    row["list_id"],
                    await connection.fetchval(
                        "SELECT list_no FROM price_lists WHERE id = $1", row["list_id"]
                    ),
                    row["mode"],
                    version,
                    row["committed_by"] or row["created_by"],
                    self._clock.now(),
                ),
                report,
            )
            if row["mode"] == "replace" and not (report.nothing_changes and not report.merged):
                await fingerprints.remember(
                    connection,
                    row["list_id"],
                    row["supplier_id"],
                    report.reading,
                    self._read.fingerprints(PART_ROWS) if self._read and report.clean else None,
                )
            await self._leave(
                connection,
                "published",
                version=published,
                rows_applied=report.added + report.changed,
            )

    async def _find_known(self, row: Any, reading: str) -> KnownRows | None:
        if row["mode"] != "replace":
            return None
        async with self._pool.acquire() as connection:
            self._known = await fingerprints.known_rows(connection, row["list_id"], reading)
        return self._known

    async def _note(self, read: Intake) -> None:
        self._progress |= {"rows_read": read.rows, "bytes_done": read.bytes_done}


def _refuse_stale_base(row: Any, version: int) -> None:
    if base_is_behind(row["base_version"], version):
        raise Unreadable(
            "stale_base",
            f"The list is at version {version}, this upload is based on {row['base_version']}.",
        )


def _internal(reference: str) -> str:
    return (
        "An error on our side, not in your file; nothing was changed. "
        f"Our log knows it as {reference}."
    )


def _invalid(report: Report) -> str:
    return f"{report.rejected} rows are invalid, and the upload asked to reject all then."
