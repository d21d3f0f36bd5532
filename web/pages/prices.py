"""Price lists: look, type a few prices by hand, drop a file, follow it, publish it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Template

from marketplace.kernel.access import allow
from marketplace.kernel.decimals import read_quantity
from marketplace.kernel.errors import Invalid, Problem
from pricing.imports import service as imports
from pricing.imports.columns import NAMES
from pricing.imports.queries import IMPORTS
from pricing.imports.read.encodings import ENCODINGS
from pricing.imports.rules import ReadingOptions
from pricing.imports.schemas import CommitPriceImport, ImportView, NewPriceImport
from pricing.lists import service as lists
from pricing.lists.queries import LINES, LISTS, VERSIONS
from pricing.lists.schemas import LinePage, NewPriceList
from web.pages import price_history
from web.pages.forms import Form
from web.pages.price_history import Asked
from web.pages.render import go, told
from web.pages.visit import UNTRIED, Attempt, Visit

FOR_MEMBERS = allow(scope=None, waiting=True)
FOR_KEEPERS = allow("admin", "partner_manager", "partner_employee", scope=None)
QUESTIONS = (
    *("unclear_encoding", "mixed_encodings", "columns_missing", "column_twice", "no_header_row"),
    *("no_such_sheet", "no_visible_sheet", "nul_byte", "rows_invalid"),
)
"""Failures that another way of reading the same file may mend."""
FINDINGS_SHOWN = 20
"""The files to download have them all."""
LIST_NAME_CHARS_MAX = 200
GRID_ROWS = 50
NEW_ROWS = 5
GRID_COLUMNS = ("price", "price_unit", "lead_time_days", "valid_to")
NEW_COLUMNS = ("sku", "unit", "currency", "min_quantity", *GRID_COLUMNS)


class PricePages(Controller):
    path = "/prices"

    @get("/", opt=FOR_MEMBERS)
    async def list_lists(self, visit: Visit) -> Template:
        return await _overview(visit)

    @post("/", opt=FOR_KEEPERS, status_code=200)
    async def create_list(self, visit: Visit) -> Response[Any]:
        form = await visit.form()
        async with visit.trying(form) as attempt:
            data = NewPriceList(name=form.words("name", LIST_NAME_CHARS_MAX))
            made = await lists.create_list(visit.session, visit.actor, data, visit.now)
            return go(f"/prices/{made.id}")
        return await _overview(visit, attempt)

    @get("/{list_id:uuid}", opt=FOR_MEMBERS)
    async def show_list(
        self,
        visit: Visit,
        list_id: UUID,
        cursor: str | None = None,
        sku: str | None = None,
    ) -> Template:
        return await _list_page(visit, list_id, cursor=cursor, sku=sku)

    @get("/{list_id:uuid}/history", opt=FOR_MEMBERS)
    async def show_history(
        self,
        visit: Visit,
        list_id: UUID,
        sku: str | None = None,
        known_on: str | None = None,
        on: str | None = None,
    ) -> Template:
        """The price of an article as known on a day for a day; days that are none are left out."""
        shown = await lists.show_list(visit.session, list_id)
        today = visit.now.date()
        asked = Asked(
            (sku or "").strip(), price_history.day_of(known_on), price_history.day_of(on) or today
        )
        answer = await price_history.read(visit.session, shown, asked) if asked.sku else None
        return await visit.page(
            "prices/history.html",
            area="prices",
            list=shown,
            asked=asked,
            answer=answer,
        )

    @post("/{list_id:uuid}/lines", opt=FOR_KEEPERS)
    async def change_lines(self, visit: Visit, list_id: UUID) -> Response[Any]:
        """What was typed becomes a patch, checked and published like any upload."""
        rows = typed_rows(await visit.form())
        if not rows:
            await lists.own(visit.session, visit.actor, list_id)
            return go(f"/prices/{list_id}")
        async with visit.trying() as attempt:
            data = NewPriceImport(
                price_list_id=list_id, mode="patch", format="jsonl", file_name="typed by hand"
            )
            import_id = await imports.import_rows(visit.session, visit.actor, data, rows, visit.now)
            return go(f"/prices/imports/{import_id}")
        return await _list_page(visit, list_id, attempt)

    @get("/imports/{import_id:uuid}", opt=FOR_MEMBERS)
    async def show_import(self, visit: Visit, import_id: UUID) -> Template:
        return await _import_page(visit, import_id)

    @post("/imports/{import_id:uuid}/{verb:str}", opt=FOR_KEEPERS)
    async def act(self, visit: Visit, import_id: UUID, verb: str) -> Response[Any]:
        """Commit, cancel, roll back, remember columns or how the file is written."""
        form = await visit.form()
        session, actor, now = visit.session, visit.actor, visit.now
        async with visit.trying() as attempt:
            if verb == "commit":
                await imports.commit(session, actor, import_id, confirmations(form), now)
            elif verb == "cancel":
                await imports.cancel(session, actor, import_id, now)
            elif verb == "rollback":
                await imports.roll_back(session, actor, import_id, now)
            elif verb == "columns":
                chosen = chosen_columns(form)
                await imports.remember_columns(session, actor, import_id, chosen, now)
            elif verb == "reading":
                options = chosen_reading(form)
                view = await imports.remember_reading(session, actor, import_id, options, now)
                return go(f"/prices/{view.price_list_id}")
            return go(f"/prices/imports/{import_id}")
        return await _import_page(visit, import_id, attempt)


def typed_rows(form: Form) -> list[dict[str, str | Decimal]]:
    """Rows of the grid in which something was changed (the old value comes beside the new one), and
    new rows that name a SKU.
    """
    rows: list[dict[str, str | Decimal]] = []
    for number in range(GRID_ROWS):
        key: dict[str, str | Decimal] = {
            name: text
            for name in ("sku", "unit", "currency", "valid_from")
            if (text := form.one(f"{name}.{number}"))
        }
        # The page wrote it, not a person: it says nothing about how the others were typed.
        if minimum := read_quantity(form.one(f"min_quantity.{number}")):
            key["min_quantity"] = minimum
        changed: dict[str, str | Decimal] = {
            name: form.one(f"{name}.{number}") or "#delete"
            for name in GRID_COLUMNS
            if form.one(f"{name}.{number}") != form.one(f"{name}.{number}.old")
        }
        if "sku" in key and changed:
            rows.append(key | changed)
    for number in range(NEW_ROWS):
        typed = {name: form.one(f"new.{name}.{number}") for name in NEW_COLUMNS}
        if typed["sku"]:
            rows.append({name: value for name, value in typed.items() if value})
    return rows


def confirmations(form: Form) -> CommitPriceImport:
    def number(name: str) -> int | None:
        text = form.one(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    return CommitPriceImport(
        confirm_removals=number("confirm_removals"), confirm_held=number("confirm_held")
    )


def chosen_columns(form: Form) -> dict[str, str]:
    """Header names come as `header.N`, our columns as `column.N`."""
    chosen = {}
    for number in range(100):
        name, ours = form.one(f"header.{number}"), form.one(f"column.{number}")
        if name and ours in NAMES:
            chosen[name] = ours
    return chosen


def chosen_reading(form: Form) -> ReadingOptions:
    """Blank fields are found out from the file. Raises Invalid."""
    typed = {name: form.one(name) for name in ("encoding", "delimiter", "decimal", "sheet")}
    given: dict[str, str | int] = {name: text for name, text in typed.items() if text}
    if candidate := form.one("candidate"):
        given["encoding"] = candidate
    if row := form.one("header_row"):
        given["header_row"] = int(row) if row.isascii() and row.isdigit() else row
    try:
        return msgspec.convert(given, ReadingOptions)
    except msgspec.ValidationError as wrong:
        raise Invalid.field("reading", "invalid", str(wrong)) from None


async def _overview(visit: Visit, attempt: Attempt = UNTRIED) -> Template:
    found = await lists.browse_lists(visit.session, visit.actor, page=LISTS.page(200))
    return await visit.page(
        "prices/lists.html",
        attempt,
        area="prices",
        lists=found.items,
        own_id=visit.actor.organisation_id,
    )


async def _list_page(
    visit: Visit,
    list_id: UUID,
    attempt: Attempt = UNTRIED,
    *,
    cursor: str | None = None,
    sku: str | None = None,
) -> Template:
    session, actor = visit.session, visit.actor
    shown = await lists.show_list(session, list_id)
    own = shown.supplier_id == actor.organisation_id
    lines = LinePage([])
    if shown.version:
        lines = await lists.lines(
            session, list_id, shown.version, sku=sku or None, page=LINES.page(GRID_ROWS, cursor)
        )
    uploads: list[ImportView] = []
    if own:
        found = await imports.browse(session, actor, list_id=list_id, page=IMPORTS.page(20))
        uploads = found.items
    return await visit.page(
        "prices/list.html",
        attempt,
        area="prices",
        list=shown,
        own=own,
        lines=lines,
        sku=sku or "",
        uploads=uploads,
        versions=(await lists.versions(session, list_id, page=VERSIONS.page(20))).items,
        new_rows=range(NEW_ROWS),
        new_columns=NEW_COLUMNS,
        encodings=ENCODINGS,
    )


async def _import_page(visit: Visit, import_id: UUID, attempt: Attempt = UNTRIED) -> Template:
    session, actor = visit.session, visit.actor
    view = await imports.show(session, actor, import_id)
    diff, gone = None, None
    if view.state in {"ready", "published", "rolled_back"}:
        try:
            diff = await imports.diff(session, actor, import_id, limit=100)
        except Problem as problem:
            # The rows of an old import are swept away; the rest of the page stands.
            gone = told(problem)
    return await visit.page(
        "prices/import.html",
        attempt,
        area="prices",
        it=view,
        diff=diff,
        shown_most=FINDINGS_SHOWN,
        findings=await imports.findings(session, actor, import_id, FINDINGS_SHOWN),
        columns=NAMES,
        encodings=ENCODINGS,
        questions=QUESTIONS,
        problem=attempt.box or gone,
    )
