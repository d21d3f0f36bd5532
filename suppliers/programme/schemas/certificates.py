"""Certificates of a partner."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from suppliers.programme.schemas.agreements import PartyView


class NewCertificate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Proof that a person passed a course."""

    person: Annotated[UUID, Meta(description="A member of the partner's organisation.")]
    course: Annotated[
        str,
        Meta(min_length=1, max_length=200, description="What was passed.", examples=["Basics"]),
    ]
    issued_at: Annotated[datetime, Meta(description="Counts from then on.")]
    expires_at: Annotated[
        datetime | None, Meta(description="Counts until then; null: for ever.")
    ] = None
    document_id: Annotated[UUID | None, Meta(description="A document that proves it.")] = None


class CertificateView(Struct, frozen=True, kw_only=True):
    """Proof that a person passed a course.

    person       a member of the partner's organisation
    course       what was passed, e.g. `Basics`
    issued_at    it counts from then on
    expires_at   it counts until then; null: for ever
    revoked_at   when it was taken back; null: it was not
    document_id  a document that proves it; null: none
    """

    id: UUID
    person: PartyView
    course: str
    issued_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    document_id: UUID | None
    counts: Annotated[bool, Meta(description="Whether it counts now.")]


class CertificatePage(Struct, frozen=True):
    """Certificates of the partner's people."""

    items: list[CertificateView]
    next_cursor: str | None = None
