"""OCDS over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import service
from auctions.tenders.ocds import reading, shapes
from auctions.tenders.schemas.tender import TenderView
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.settings import Settings

READ, WRITE = "tenders:read", "tenders:write"


class OcdsController(Controller):
    path = "/api/v1/ocds"
    tags = ("ocds",)

    @get("/releases/{tender_id:uuid}", opt=allow(scope=READ))
    async def release_package(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        settings: Settings,
        tender_id: UUID,
    ) -> Response[Any]:
        """OCDS 1.1 release package: tender, lots, bids with the auctions' history, awards."""
        found = await service.export(session, actor, tender_id, settings.origin, clock.now())
        return Response(shapes.encode(found), media_type="application/json")

    @post("/tenders", opt=allow("procurement_officer", scope=WRITE))
    async def import_tender(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        data: reading.Document,
        currency: str | None = None,
        ocid: str | None = None,
    ) -> TenderView:
        """A draft from an OCDS release or release package: of one process, its newest release by
        date. `currency` where it names none, `ocid` where it holds several processes.
        """
        tender_id = await service.import_draft(session, actor, data, currency, ocid, clock.now())
        return await service.show(session, actor, tender_id)
