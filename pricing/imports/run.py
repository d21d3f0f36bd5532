"""The worker's side of an upload: claim, read, validate, publish, and take over from the dead."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import structlog

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.lease import LeaseLost
from marketplace.kernel.statements import Connection, Pool
from pricing.catalogue.queries import map_list
from pricing.imports import failures, lease
from pricing.imports.check.validate import validate
from pricing.imports.compare.queries import staging
from pricing.imports.compare.report import Report, Subject
from pricing.imports.compare.tables import tables_of
from pricing.imports.lease import ImportLease, queries
from pricing.imports.lease.queries import Noted, Upload
from pricing.imports.publish import publication
from pricing.imports.publish.publication import ListMoved, Publication
from pricing.imports.read import fingerprints, intake, remembered
from pricing.imports.read.dialect import Dialect, Unreadable
from pricing.imports.read.headers import Mappings
from pricing.imports.read.intake import PARSING_AT_ONCE, Intake
from pricing.imports.read.known import PART_ROWS, KnownRows
from pricing.imports.read.opening import Ask
from pricing.imports.read.queries import subject_of
from pricing.imports.read.sources import find_columns, source_of
from pricing.imports.rules import State, base_is_behind, state_after_check
from pricing.imports.upload.receive import stored_file

IMPORTS_AT_ONCE = 6
LARGE_AT_ONCE = 4
CLAIM_EVERY_S = 0.25
TRIES_MAX = 5
READY_LIFE = timedelta(days=7)

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
                running[group.create_task(_work(pool, clock, mine, turns))] = mine.is_large
            if not running:
                return
            done, _ = await asyncio.wait(
                running, timeout=CLAIM_EVERY_S, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                del running[task]


async def sweep_imports(database: Database, clock: Clock) -> None:
    """Drop what ended uploads left behind, and end those that nobody committed for a week."""
    pool = await database.pool()
    async with pool.acquire() as connection:
        await queries.cancel_forgotten(connection, clock.now(), READY_LIFE)
        for import_id in await staging.leftovers(connection):
            await staging.drop(connection, tables_of(import_id))
        await queries.drop_chunks_of_ended(connection)


async def _work(pool: Pool, clock: Clock, mine: ImportLease, turns: asyncio.Semaphore) -> None:
    """One upload as far as it goes. What goes wrong here never reaches another supplier's."""
    job = _Job(pool, clock, mine, turns)
    try:
        await job.run()
    except* LeaseLost:
        _log.info("price_import_left", import_id=str(mine.row_id))
    except* Exception as errors:  # noqa: BLE001  # one upload's errors end here, all of them
        await job.broke(errors)


class _Job:
    def __init__(
        self, pool: Pool, clock: Clock, mine: ImportLease, turns: asyncio.Semaphore
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._lease = mine
        self._turns = turns
        self._tables = tables_of(mine.row_id)
        self._progress = Noted()
        self._known: KnownRows | None = None
        self._read: Intake | None = None
        self._left = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(self._beat())
            try:
                async with self._pool.acquire() as connection:
                    await queries.prepare(connection)
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
                    await lease.renew(connection, self._lease, self._clock.now(), self._progress)
            except LeaseLost:
                if self._left:
                    return
                raise

    async def _guarded(self, connection: Connection) -> None:
        try:
            upload = await queries.load(connection, self._lease.row_id)
            if upload.attempts > lease.ATTEMPTS_MAX:
                raise Unreadable(
                    "gave_up",
                    f"{lease.ATTEMPTS_MAX} attempts were interrupted; nothing was changed. "
                    "Upload the file again, in parts if it is large.",
                )
            await self._process(connection, upload)
        except Unreadable as wrong:
            await self._fail(connection, wrong.code, wrong.detail, _json_of(wrong.dialect))
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back())
            raise

    async def broke(self, errors: BaseExceptionGroup[Exception]) -> None:
        """Let another attempt follow where it may help, and else fail the upload now: its owner
        reads why, and what they uploaded to this list after it goes on.
        """
        reference = failures.new_reference()
        names = {"import_id": str(self._lease.row_id), "reference": reference}
        try:
            async with self._pool.acquire() as connection:
                if failures.may_pass(errors):
                    _log.warning("price_import_interrupted", **names, exc_info=errors)
                    await lease.put_off(connection, self._lease, self._clock.now())
                else:
                    _log.error("price_import_broke", **names, exc_info=errors)
                    await self._fail(connection, "internal_error", _internal(reference))
        except LeaseLost:
            return
        except Exception as unreachable:  # noqa: BLE001  # then the lease runs out by itself
            _log.warning("price_import_left_to_its_lease", **names, exc_info=unreachable)

    async def _give_back(self) -> None:
        async with self._pool.acquire() as connection:
            await lease.give_back(connection, self._lease)

    async def _leave(self, connection: Connection, state: State, noted: Noted) -> None:
        # The heartbeat may come a moment later and must not take this for a loss.
        self._left = True
        await lease.leave(connection, self._lease, state, self._clock.now(), noted)

    async def _fail(
        self, connection: Connection, code: str, detail: str, dialect: str | None = None
    ) -> None:
        noted = self._noted(failure_code=code, failure_detail=detail, dialect=dialect)
        await self._leave(connection, "failed", noted)
        await self._tidy(connection)

    def _noted(self, **more: str | int | None) -> Noted:
        """The progress, and more."""
        return msgspec.structs.replace(self._progress, **more)

    async def _tidy(self, connection: Connection) -> None:
        await staging.drop(connection, self._tables)
        await queries.drop_chunks(connection, self._lease.row_id)

    async def _process(self, connection: Connection, upload: Upload) -> None:
        checked = await self._validated_before(connection, upload)
        for _ in range(TRIES_MAX):
            if checked is None:
                await publication.settle(connection, upload.list_id)
                subject = await subject_of(
                    connection, upload.list_id, upload.mode, accepts_held=upload.accepts_held
                )
                _refuse_stale_base(upload, subject.version)
                checked = await self._check(connection, upload, subject), subject.version
            report, version = checked
            if report.rejected and upload.on_error == "reject_all":
                await self._fail(connection, "rows_invalid", _invalid(report))
                return
            if await self._waits(connection, upload, report, version):
                return
            try:
                await self._publish(connection, upload, report, version)
            except ListMoved:
                checked = None
                continue
            await map_list(connection, upload.supplier_id, upload.list_id)
            await self._tidy(connection)
            return
        raise Unreadable("list_busy", "Other uploads to the same list were always faster.")

    async def _validated_before(
        self, connection: Connection, upload: Upload
    ) -> tuple[Report, int] | None:
        """The report of a validated upload, and its version of the list, where the rows are still
        staged and the list stands.
        """
        version = upload.validated_version
        if upload.state != "publishing" or version is None:
            return None
        if await queries.version_of_list(connection, upload.list_id) != version:
            return None
        report = msgspec.json.decode(upload.report, type=Report)
        whole = await staging.is_whole(
            connection, self._tables, staged=report.staged, ended=report.ended_lines
        )
        return (report, version) if whole else None

    async def _check(self, connection: Connection, upload: Upload, subject: Subject) -> Report:
        self._forget()
        now = self._clock.now()
        await lease.read_anew(connection, self._lease, now)
        source = await source_of(connection, upload)
        self._read = read = await intake.run(
            connection,
            source,
            lambda: stored_file(self._pool, upload.id),
            turns=self._turns,
            ask=Ask(
                known_rows=lambda reading: self._find_known(upload, reading),
                remembered=lambda headers: self._find_columns(upload, headers),
            ),
            progress=self._note,
        )
        await self._note(read)
        await remembered.remember(
            connection, upload.supplier_id, upload.list_id, source.given, read.dialect.header, now
        )
        noted = self._noted(dialect=_json_of(read.dialect))
        await lease.enter(connection, self._lease, "validating", self._clock.now(), noted)
        report = await validate(connection, self._tables, upload.id, subject, read, self._known)
        await staging.close_doors(connection, self._tables, subject.supplier_id)
        self._progress = self._noted(
            rows_valid=report.added + report.changed + report.same + report.known + report.held,
            rows_invalid=report.rejected,
            rows_unchanged=report.same + report.known,
            rows_held=report.held,
        )
        return report

    async def _waits(
        self, connection: Connection, upload: Upload, report: Report, version: int
    ) -> bool:
        """Whether the upload stays `ready` until somebody commits it."""
        state = state_after_check(
            dry_run=upload.dry_run,
            commit_wanted=upload.commit_wanted,
            confirmed_removals=upload.confirm_removals,
            removed_skus=report.removed_skus if upload.mode == "replace" else 0,
            former_skus=report.former_skus,
        )
        noted = self._noted(report=msgspec.json.encode(report).decode(), validated_version=version)
        if state == "ready":
            await self._leave(connection, state, noted)
            return True
        await lease.enter(connection, self._lease, state, self._clock.now(), noted)
        return False

    async def _publish(
        self, connection: Connection, upload: Upload, report: Report, version: int
    ) -> None:
        async with connection.transaction():
            published = await publication.write(
                connection,
                self._tables,
                Publication(
                    import_id=upload.id,
                    list_id=upload.list_id,
                    mode=upload.mode,
                    validated_version=version,
                    published_by=upload.committed_by or upload.created_by,
                    now=self._clock.now(),
                ),
                report,
            )
            if upload.mode == "replace" and not (report.nothing_changes and not report.merged):
                await fingerprints.remember(
                    connection,
                    upload.list_id,
                    upload.supplier_id,
                    report.reading,
                    self._read.fingerprints(PART_ROWS) if self._read and report.clean else None,
                )
            noted = self._noted(version=published, rows_applied=report.added + report.changed)
            await self._leave(connection, "published", noted)

    async def _find_known(self, upload: Upload, reading: str) -> KnownRows | None:
        if upload.mode != "replace":
            return None
        async with self._pool.acquire() as connection:
            self._known = await fingerprints.known_rows(connection, upload.list_id, reading)
        return self._known

    async def _find_columns(self, upload: Upload, headers: Sequence[Sequence[str]]) -> Mappings:
        return await find_columns(self._pool, upload.supplier_id, headers)

    async def _note(self, read: Intake) -> None:
        self._progress = self._noted(rows_read=read.rows, bytes_done=read.bytes_done)


def _refuse_stale_base(upload: Upload, version: int) -> None:
    if base_is_behind(upload.base_version, version):
        raise Unreadable(
            "stale_base",
            f"The list is at version {version}, this upload is based on {upload.base_version}.",
        )


def _json_of(dialect: Dialect | None) -> str | None:
    return None if dialect is None else msgspec.json.encode(dialect).decode()


def _internal(reference: str) -> str:
    return (
        "An error on our side, not in your file; nothing was changed. "
        f"Our log knows it as {reference}."
    )


def _invalid(report: Report) -> str:
    return f"{report.rejected} rows are invalid, and the upload asked to reject all then."
