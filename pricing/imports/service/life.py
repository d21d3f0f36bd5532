"""Use cases of uploads: begin, commit, cancel, roll back, look at them; workers do the rest."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, NotFound
from marketplace.kernel.ids import new_id
from marketplace.kernel.pages import Page
from pricing.imports import queries, views
from pricing.imports.compare.report import Report
from pricing.imports.queries import ImportRow
from pricing.imports.rules import (
    IMPORTS_WAITING_MAX,
    ReadingOptions,
    base_is_behind,
    needs_confirmation,
)
from pricing.imports.schemas import (
    CommitPriceImport,
    ImportPage,
    ImportView,
    NewPriceImport,
)
from pricing.imports.service.options import reading_options
from pricing.lists import service as lists


async def begin(
    session: AsyncSession, actor: Actor, data: NewPriceImport, now: datetime
) -> ImportView:
    """An upload that waits for its file. Raises Forbidden, NotFound, Conflict, Invalid."""
    found = await lists.own(session, actor, data.price_list_id)
    actor.require_capability("supplies")
    if found.state == "archived":
        raise Conflict("archived", "An archived list takes no prices.")
    if base_is_behind(data.base_version, found.version):
        raise _stale_base(found.version)
    given = reading_options(data)
    waiting = await queries.count_unfinished(session, actor.organisation_id)
    if waiting >= IMPORTS_WAITING_MAX:
        raise Conflict(
            "too_many_imports", f"At most {IMPORTS_WAITING_MAX} uploads may be unfinished."
        )
    import_id = await _insert(session, actor, data, given, now)
    return await show(session, actor, import_id)


def _stale_base(version: int) -> Conflict:
    return Conflict("stale_base", f"The list has moved on to version {version}.")


async def _insert(
    session: AsyncSession,
    actor: Actor,
    data: NewPriceImport,
    given: ReadingOptions,
    now: datetime,
) -> UUID:
    new = queries.NewImport(
        id=new_id(),
        supplier_id=actor.organisation_id,
        list_id=data.price_list_id,
        created_by=actor.user_id,
        mode=data.mode,
        format=data.format,
        on_error=data.on_error,
        dry_run=data.dry_run,
        base_version=data.base_version,
        sha256=None if data.sha256 is None else data.sha256.lower(),
        file_name=data.file_name,
        reading=msgspec.json.encode(given).decode(),
        created_at=now,
    )
    await queries.insert(session, new)
    return new.id


async def own(
    session: AsyncSession, actor: Actor, import_id: UUID, *, lock: bool = False
) -> ImportRow:
    """Raises NotFound."""
    found = await queries.find(session, import_id, lock=lock)
    if found is None or found.supplier_id != actor.organisation_id:
        raise NotFound("price import")
    return found


async def show(session: AsyncSession, actor: Actor, import_id: UUID) -> ImportView:
    return views.import_view(await own(session, actor, import_id))


async def browse(
    session: AsyncSession,
    actor: Actor,
    *,
    list_id: UUID | None = None,
    state: str | None = None,
    page: Page,
) -> ImportPage:
    """Newest first unless `sort` says otherwise."""
    found, more = page.cut(
        await queries.browse(
            session, actor.organisation_id, list_id=list_id, state=state, page=page
        )
    )
    return ImportPage([views.import_view(row) for row in found], more)


async def commit(
    session: AsyncSession, actor: Actor, import_id: UUID, data: CommitPriceImport, now: datetime
) -> ImportView:
    """Publish what was checked. Asked again it is the same answer. Raises NotFound, Conflict."""
    found = await own(session, actor, import_id, lock=True)
    actor.require_capability("supplies")
    if found.state == "published":
        return await _commit_held(session, actor, found, data, now)
    if found.state == "publishing" or (
        found.state in {"reading", "validating"} and (found.commit_wanted or not found.dry_run)
    ):
        return views.import_view(found)
    if found.state != "ready":
        raise Conflict("wrong_state", f"An upload that is {found.state} cannot be committed.")
    version = (await queries.shown_by(session, found.list_id)).version
    if base_is_behind(found.base_version, version):
        raise _stale_base(version)
    report = msgspec.json.decode(found.report, type=Report)
    removed = report.removed_skus if found.mode == "replace" else 0
    if needs_confirmation(removed, report.former_skus) and data.confirm_removals != removed:
        raise Conflict(
            "confirm_removals",
            f"{removed} of {report.former_skus} SKUs would go; "
            f'commit with {{"confirm_removals": {removed}}} if that is right.',
        )
    await queries.commit(
        session,
        import_id,
        actor.user_id,
        removals=data.confirm_removals,
        with_held=_confirmed_held(found, data),
        now=now,
    )
    return await show(session, actor, import_id)


def _confirmed_held(found: ImportRow, data: CommitPriceImport) -> bool:
    """Whether the held rows are to go in. Raises Conflict when their number is another."""
    if not data.confirm_held:
        return False
    if data.confirm_held != found.rows_held:
        raise Conflict("confirm_held", f"{found.rows_held} rows are held.")
    return True


async def _commit_held(
    session: AsyncSession,
    actor: Actor,
    found: ImportRow,
    data: CommitPriceImport,
    now: datetime,
) -> ImportView:
    """After publishing, the confirmed rows follow as an upload of their own."""
    if found.held_import_id is not None or not _confirmed_held(found, data):
        return views.import_view(found)
    content = "\n".join(await queries.held_rows(session, found.id)).encode()
    following = await _insert(
        session,
        actor,
        NewPriceImport(
            price_list_id=found.list_id,
            mode="patch" if found.mode == "patch" else "merge",
            format="jsonl",
            on_error="reject_all",
            file_name=found.file_name,
        ),
        ReadingOptions(),
        now,
    )
    sha256 = hashlib.sha256(content).hexdigest()
    await queries.add_whole(
        session, following, found.supplier_id, content, now, sha256=sha256, accepts_held=True
    )
    await queries.follow_up(session, found.id, following)
    return await show(session, actor, found.id)


async def cancel(session: AsyncSession, actor: Actor, import_id: UUID, now: datetime) -> ImportView:
    """In every state before `published`; a worker that is at it loses its lease. Raises NotFound,
    Conflict.
    """
    await own(session, actor, import_id)
    actor.require_capability("supplies")
    cancelled = await queries.cancel(session, import_id, actor.organisation_id, now)
    found = await own(session, actor, import_id)
    if not cancelled and found.state != "cancelled":
        raise Conflict("wrong_state", f"An upload that is {found.state} cannot be cancelled.")
    return views.import_view(found)


async def roll_back(
    session: AsyncSession, actor: Actor, import_id: UUID, now: datetime
) -> ImportView:
    """The list shows its former version again, as a version of its own. Raises NotFound, Conflict
    (a later version stands on it).
    """
    found = await own(session, actor, import_id, lock=True)
    actor.require_capability("supplies")
    if found.state == "rolled_back":
        return views.import_view(found)
    if found.state != "published" or found.version is None:
        raise Conflict("wrong_state", f"An upload that is {found.state} cannot be rolled back.")
    current = await queries.shown_by(session, found.list_id, lock=True)
    if current.version != found.version:
        raise Conflict(
            "later_version", f"Version {current.version} stands on it; take that back first."
        )
    version = await queries.find_version(session, found.list_id, found.version)
    if version is None or version.import_id != found.id:
        raise Conflict("nothing_to_roll_back", "This upload changed nothing.")
    former = await queries.find_version(session, found.list_id, found.version - 1)
    await queries.show_version(
        session,
        found.list_id,
        found.version + 1,
        former or queries.Version(content=0, import_id=None, lines=0, skus=0),
        reverts=found.version,
        now=now,
        by=actor.user_id,
    )
    await queries.mark_rolled_back(session, import_id, now)
    return await show(session, actor, import_id)
