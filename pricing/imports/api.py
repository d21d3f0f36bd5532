"""Bulk upload of prices over HTTP, exactly as API.md says."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, Request, get, post, put
from litestar.params import QueryParameter
from litestar.response import Response, Stream
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel import progress
from marketplace.kernel.access import allow, sends, takes
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.pages import Page, sorted_by
from pricing.imports import queries, service
from pricing.imports.check import exports
from pricing.imports.rules import ENDED, UPLOAD_BYTES_MAX, State
from pricing.imports.schemas import (
    ColumnsView,
    CommitPriceImport,
    Diff,
    ImportPage,
    ImportView,
    NewPriceImport,
)
from pricing.imports.upload.receive import receive

READ, WRITE = "prices:read", "prices:write"
KEEPERS = ("admin", "partner_manager", "partner_employee")
EVENT_EVERY_S = 0.25
"""The row is the truth; its worker writes it twice a second."""
EVENT_STREAM_S_MAX = 900
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ERROR_FILES = ("application/x-ndjson", "text/csv", XLSX)

Limit = Annotated[int, QueryParameter(ge=1, le=200)]
Kind = Literal["added", "changed", "removed", "held"]


class PriceImportController(Controller):
    path = "/api/v1/price_imports"
    tags = ("price imports",)

    @post(opt=allow(*KEEPERS, scope=WRITE))
    async def begin_import(
        self, session: AsyncSession, actor: Actor, clock: Clock, data: NewPriceImport
    ) -> ImportView:
        """Announce a file; `upload_url` takes it."""
        return await service.begin(session, actor, data, clock.now())

    @get(opt=allow(scope=READ) | sorted_by(queries.IMPORTS))
    async def list_imports(
        self,
        session: AsyncSession,
        actor: Actor,
        page: Page,
        price_list: UUID | None = None,
        import_state: Annotated[State | None, QueryParameter(name="state")] = None,
    ) -> ImportPage:
        """Own uploads, newest first."""
        return await service.browse(
            session,
            actor,
            list_id=price_list,
            state=import_state,
            page=page,
        )

    @get("/{import_id:uuid}", opt=allow(scope=READ))
    async def read_import(self, session: AsyncSession, actor: Actor, import_id: UUID) -> ImportView:
        return await service.show(session, actor, import_id)

    @put(
        "/{import_id:uuid}/content",
        opt=allow(*KEEPERS, scope=WRITE) | takes("*/*"),
        request_max_body_size=UPLOAD_BYTES_MAX,
    )
    async def upload_content(
        self,
        request: Request[Any, Any, Any],
        database: Database,
        actor: Actor,
        clock: Clock,
        import_id: UUID,
    ) -> ImportView:
        """The file as the body, optionally gzip; it is streamed, and a worker begins at its end."""
        length = request.headers.get("content-length", "")
        announced = int(length) if length.isascii() and length.isdigit() else None
        return await receive(database, actor, clock, import_id, request.stream(), announced)

    @put("/{import_id:uuid}/columns", opt=allow(*KEEPERS, scope=WRITE))
    async def remember_columns(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        import_id: UUID,
        data: ColumnsView,
    ) -> ImportView:
        """What the columns of this upload's header mean, for every next file that has it."""
        return await service.remember_columns(session, actor, import_id, data.columns, clock.now())

    @get("/{import_id:uuid}/events", opt=allow(scope=READ), media_type="text/event-stream")
    async def follow_import(
        self,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        clock: Clock,
        import_id: UUID,
    ) -> Stream:
        """The import's view as server-sent events, each time it changes, until it has ended or
        waits for a commit.
        """
        await service.own(session, actor, import_id)
        return Stream(
            progress.events(
                database,
                actor,
                clock,
                partial(service.show, actor=actor, import_id=import_id),
                lambda view: view.state in {*ENDED, "ready"},
                every_s=EVENT_EVERY_S,
                at_most_s=EVENT_STREAM_S_MAX,
            ),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    @get("/{import_id:uuid}/errors", opt=allow(scope=READ) | sends(*ERROR_FILES))
    async def read_errors(
        self,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        import_id: UUID,
        export_format: Annotated[
            Literal["jsonl", "csv", "xlsx"], QueryParameter(name="format")
        ] = "jsonl",
    ) -> Response[Any]:
        """`jsonl`: one finding a line. `csv` and `xlsx`: the failed rows with error columns, ready
        to correct and upload again.
        """
        found = await service.own(session, actor, import_id)
        if export_format == "jsonl":
            return Stream(
                exports.error_lines(database, actor, import_id),
                media_type="application/x-ndjson",
            )
        named = {"content-disposition": f'attachment; filename="failed-rows.{export_format}"'}
        if export_format == "csv":
            return Stream(
                exports.failed_rows_csv(database, actor, found),
                media_type="text/csv; charset=utf-8",
                headers=named,
            )
        body = await exports.failed_rows_xlsx(database, actor, found)
        return Response(body, media_type=XLSX, headers=named)

    @get("/{import_id:uuid}/diff", opt=allow(scope=READ) | sorted_by(queries.DIFF))
    async def read_diff(
        self,
        session: AsyncSession,
        actor: Actor,
        import_id: UUID,
        kind: Kind | None = None,
        limit: Limit = 100,
        cursor: str | None = None,
        sort: str | None = None,
    ) -> Diff:
        """What publishing changes, or changed, line by line in order of SKU."""
        return await service.diff(
            session, actor, import_id, kind=kind, limit=limit, cursor=cursor, sort=sort
        )

    @post("/{import_id:uuid}/commit", status_code=200, opt=allow(*KEEPERS, scope=WRITE))
    async def commit_import(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        import_id: UUID,
        data: CommitPriceImport | None = None,
    ) -> ImportView:
        """Publish a checked upload, with confirmations where they are asked for."""
        return await service.commit(
            session, actor, import_id, data or CommitPriceImport(), clock.now()
        )

    @post("/{import_id:uuid}/cancel", status_code=200, opt=allow(*KEEPERS, scope=WRITE))
    async def cancel_import(
        self, session: AsyncSession, actor: Actor, clock: Clock, import_id: UUID
    ) -> ImportView:
        """Before it is published, in every state."""
        return await service.cancel(session, actor, import_id, clock.now())

    @post("/{import_id:uuid}/rollback", status_code=200, opt=allow(*KEEPERS, scope=WRITE))
    async def roll_back_import(
        self, session: AsyncSession, actor: Actor, clock: Clock, import_id: UUID
    ) -> ImportView:
        """The list shows at once what it showed before, as a new version."""
        return await service.roll_back(session, actor, import_id, clock.now())


CONTROLLERS: list[ControllerRouterHandler] = [PriceImportController]
