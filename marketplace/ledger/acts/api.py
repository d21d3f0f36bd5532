"""Acts over HTTP."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.response import Stream
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel import progress
from marketplace.kernel.access import allow, sends
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.pages import Page, sorted_by
from marketplace.ledger.acts import queries, service
from marketplace.ledger.acts.schemas import (
    ActPage,
    ActRunPage,
    ActRunView,
    ActView,
    BillingBody,
    Dispute,
    NewActRun,
)
from marketplace.ledger.payouts.api import CHECKER, KEEPER, MAKER, READ, READER, WRITE

EVENT_EVERY_S = 0.5
"""The rows are the truth; the worker writes one for each act."""
EVENT_STREAM_S_MAX = 600
"""A client asks again after that; no stream stays open for ever."""
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The same acts give the same archive, whenever it is asked for."""


class ActRunController(Controller):
    path = "/api/v1/act_runs"
    tags = ("partners",)

    @get("/", opt=allow(*CHECKER, scope=READ, operator=True) | sorted_by(queries.RUNS))
    async def list_act_runs(self, session: AsyncSession, page: Page) -> ActRunPage:
        """Every month, the newest first."""
        return await service.list_runs(session, page)

    @post("/", status_code=202, opt=allow(*MAKER, scope=WRITE, operator=True))
    async def make_acts(
        self, session: AsyncSession, actor: Actor, clock: Clock, data: NewActRun
    ) -> ActRunView:
        """A worker makes the acts of the month. Asked again, it makes acts of what came since; what
        was numbered keeps its number and its bytes.
        """
        return await service.request_run(session, actor, data.period, clock.now())

    @get("/{act_run_id:uuid}", opt=allow(*CHECKER, scope=READ, operator=True))
    async def get_act_run(self, session: AsyncSession, act_run_id: UUID) -> ActRunView:
        """How far it is, with control totals."""
        return await service.show_run(session, act_run_id)

    @get(
        "/{act_run_id:uuid}/events",
        opt=allow(*CHECKER, scope=READ, operator=True),
        media_type="text/event-stream",
    )
    async def follow_act_run(
        self,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        clock: Clock,
        act_run_id: UUID,
    ) -> Stream:
        """The run's view as server-sent events, each time it changes, until it is done."""
        await service.show_run(session, act_run_id)
        return Stream(
            progress.events(
                database,
                actor,
                clock,
                partial(service.show_run, run_id=act_run_id),
                lambda view: view.state == "done",
                every_s=EVENT_EVERY_S,
                at_most_s=EVENT_STREAM_S_MAX,
            ),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    @get(
        "/{act_run_id:uuid}/archive.zip",
        opt=allow(*CHECKER, scope=READ, operator=True) | sends("application/zip"),
    )
    async def get_act_archive(
        self, session: AsyncSession, database: Database, actor: Actor, act_run_id: UUID
    ) -> Stream:
        """Every PDF and XML of the run that is made so far; the same bytes each time."""
        run = await service.show_run(session, act_run_id)
        numbers = await queries.numbers(session, act_run_id)
        return Stream(
            _archive(database, actor, numbers),
            media_type="application/zip",
            headers={
                "Content-Disposition": f'attachment; filename="acts-{run.period}.zip"',
            },
        )


class BillingController(Controller):
    path = "/api/v1/billing"
    tags = ("partners",)

    @get("/", opt=allow(*KEEPER, scope=READ))
    async def get_billing(self, session: AsyncSession, actor: Actor) -> BillingBody:
        """What the caller's organisation has agreed about its acts."""
        return await service.get_billing(session, actor)

    @put("/", opt=allow(*KEEPER, scope=WRITE))
    async def set_billing(
        self, session: AsyncSession, actor: Actor, data: BillingBody
    ) -> BillingBody:
        """Agree to self-billing or end it, for acts that are issued from now on."""
        return await service.set_billing(session, actor, data)


class ActController(Controller):
    path = "/api/v1/acts"
    tags = ("partners",)

    @get("/", opt=allow(*READER, scope=READ) | sorted_by(queries.ACTS))
    async def list_acts(
        self, session: AsyncSession, actor: Actor, page: Page, run: UUID | None = None
    ) -> ActPage:
        """A partner's own acts, the operator's all, newest first; `run` is a month's."""
        return await service.list_acts(session, actor, run, page)

    @get("/{act_id:uuid}", opt=allow(*READER, scope=READ))
    async def get_act(self, session: AsyncSession, act_id: UUID) -> ActView:
        """The act with its lines, each of which opens its accrual. `….pdf` and `….xml` behind the
        id answer the files.
        """
        return await service.show(session, act_id)

    @get("/{act_id:uuid}/pdf", opt=allow(*READER, scope=READ) | sends("application/pdf"))
    async def get_act_pdf(self, session: AsyncSession, act_id: UUID) -> Response[bytes]:
        """The PDF/A-3, also at `/api/v1/acts/{id}.pdf`; `ETag` is its SHA-256."""
        act, stored = await service.file(session, act_id)
        return Response(
            stored.pdf,
            media_type="application/pdf",
            headers={
                "Content-Disposition": f'attachment; filename="{act.number}.pdf"',
                "ETag": f'"{act.sha256}"',
            },
        )

    @get("/{act_id:uuid}/xml", opt=allow(*READER, scope=READ) | sends("application/xml"))
    async def get_act_xml(self, session: AsyncSession, act_id: UUID) -> Response[bytes]:
        """The EN 16931 invoice, also at `/api/v1/acts/{id}.xml`; a statement has none."""
        act, stored = await service.file(session, act_id)
        return Response(
            service.invoice_of(stored),
            media_type="application/xml",
            headers={"Content-Disposition": f'attachment; filename="{act.number}.xml"'},
        )

    @post(
        "/{act_id:uuid}/accept",
        status_code=200,
        opt=allow("admin", "partner_manager", scope=WRITE),
    )
    async def accept_act(
        self, session: AsyncSession, actor: Actor, clock: Clock, act_id: UUID
    ) -> ActView:
        """The partner agrees, also after a dispute."""
        return await service.move_act(session, actor, act_id, "accept", None, clock.now())

    @post(
        "/{act_id:uuid}/dispute",
        status_code=200,
        opt=allow("admin", "partner_manager", scope=WRITE),
    )
    async def dispute_act(
        self, session: AsyncSession, actor: Actor, clock: Clock, act_id: UUID, data: Dispute
    ) -> ActView:
        """The partner objects, within the agreed days."""
        now = clock.now()
        return await service.move_act(session, actor, act_id, "dispute", data.reason, now)


async def _archive(
    database: Database, actor: Actor, numbers: list[tuple[UUID, str]]
) -> AsyncIterator[bytes]:
    """One act at a time; nothing is held but the archive's own directory."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for act_id, number in numbers:
            async with database.transaction(actor) as session:
                stored = await queries.file(session, act_id)
            assert stored is not None, "a rendered act has its file"
            archive.writestr(zipfile.ZipInfo(f"{number}.pdf", ZIP_TIME), stored.pdf)
            if stored.xml is not None:
                archive.writestr(zipfile.ZipInfo(f"{number}.xml", ZIP_TIME), stored.xml)
            yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """What was written since it was last taken; it cannot seek, so the archive streams."""

    def __init__(self) -> None:
        self._parts = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, part: object) -> int:
        piece = bytes(part)  # type: ignore[call-overload]
        self._parts += piece
        return len(piece)

    def taken(self) -> bytes:
        parts, self._parts = bytes(self._parts), bytearray()
        return parts


CONTROLLERS = [ActRunController, BillingController, ActController]
