"""What stands around a tender on its page: description, delivery, documents, addenda, questions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import service
from auctions.tenders.schemas.dossier import AddendumView, QuestionView
from auctions.tenders.schemas.tender import Delivery, TenderView
from marketplace.documents.schemas import DocumentView
from marketplace.kernel.actor import Actor
from web.pages.terms import Gettext, Term
from web.translate import Language

BYTES_A_MB = 1_000_000


class Change(msgspec.Struct, frozen=True):
    """One value that an addendum changed."""

    name: str
    before: Term
    after: Term


class Addendum(msgspec.Struct, frozen=True):
    number: int
    text: str
    created_at: datetime
    changes: list[Change]


class DocumentLink(msgspec.Struct, frozen=True):
    """`former`: a newer version of the same file stands above it."""

    href: str
    name: str
    note: str
    internal: bool
    former: bool


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a bidder accepts, beside the lots and their rules."""

    description: str
    delivery: list[Term]
    documents: list[DocumentLink]
    addenda: list[Addendum]
    questions: list[QuestionView]


async def dossier(
    session: AsyncSession, actor: Actor, tender: TenderView, fmt: Language
) -> Dossier:
    """Raises NotFound."""
    documents = (await service.list_documents(session, actor, tender.id)).items
    addenda = (await service.list_addenda(session, actor, tender.id)).items
    questions = (await service.list_questions(session, actor, tender.id)).items
    return Dossier(
        description=tender.description,
        delivery=_delivery(tender.delivery, fmt),
        documents=_documents(documents, tender.id, fmt),
        addenda=[_addendum(each, fmt) for each in reversed(addenda)],
        questions=questions,
    )


def _delivery(delivery: Delivery, fmt: Language) -> list[Term]:
    names = _delivery_names(fmt.gettext)
    values = msgspec.structs.asdict(delivery)
    return [Term(name, values[key]) for key, name in names.items() if values.get(key)]


def _delivery_names(_: Gettext) -> dict[str, str]:
    return {
        "place": _("Place"),
        "until": _("Delivery until"),
        "incoterm": _("Incoterm"),
        "payment": _("Payment"),
        "remarks": _("Remarks"),
    }


def _documents(rows: list[DocumentView], tender_id: UUID, fmt: Language) -> list[DocumentLink]:
    """By name, the newest version first."""
    ordered = sorted(rows, key=lambda row: (row.name, -row.version))
    newest: set[str] = set()
    links = []
    for row in ordered:
        links.append(
            DocumentLink(
                href=f"/api/v1/tenders/{tender_id}/documents/{row.id}",
                name=row.name,
                note=fmt.gettext("version %(version)s · %(size)s")
                % {"version": row.version, "size": _size(row.size_bytes, fmt)},
                internal=row.internal,
                former=row.name in newest,
            )
        )
        newest.add(row.name)
    return links


def _size(count: int, fmt: Language) -> str:
    if count < BYTES_A_MB:
        return f"{fmt.number(max(1, round(count / 1_000)))} kB"
    return f"{fmt.number(f'{count / BYTES_A_MB:.1f}')} MB"


def _addendum(row: AddendumView, fmt: Language) -> Addendum:
    changes = [change for one in row.changes for change in _changes(one, fmt)]
    return Addendum(row.number, row.text, row.created_at, changes)


def _changes(change: dict[str, Any], fmt: Language) -> list[Change]:
    """One line for each value that differs; a group such as the delivery is taken apart."""
    _, field = fmt.gettext, str(change.get("field", ""))
    before, after = change.get("before"), change.get("after")
    if isinstance(before, dict) or isinstance(after, dict):
        old, new = before or {}, after or {}
        names = _delivery_names(_)
        return [
            Change(names.get(key, _field(key, _)), _value(old.get(key)), _value(new.get(key)))
            for key in dict.fromkeys([*old, *new])
            if old.get(key) != new.get(key)
        ]
    name = _field(field, _)
    if lot := change.get("lot"):
        name = f"{name}: {lot}"
    return [Change(name, _value(before), _value(after))]


def _field(field: str, _: Gettext) -> str:
    names = {
        "title": _("Title"),
        "description": _("Description"),
        "delivery": _("Delivery"),
        "documents": _("Document"),
        "offers_due_at": _("Offers due until"),
        "starts_at": _("Start of the auction"),
    }
    return names.get(field.rpartition(".")[2], field.replace("_", " "))


def _value(value: object) -> Term:
    """A time is shown in the reader's zone, an empty value as none."""
    text = "" if value is None else str(value)
    if "T" in text and len(text) > len("2026-12-01T10:00"):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return Term("", text)
        return Term("", instant=moment) if moment.tzinfo else Term("", text)
    return Term("", text or "-")
