"""Certificates of a partner's people: recorded, revoked, listed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries as accounts
from marketplace.documents import queries as documents
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.ids import new_id
from marketplace.kernel.scope import as_house
from suppliers.programme import queries
from suppliers.programme.models import Agreement, Certificate
from suppliers.programme.schemas.agreements import PartyView
from suppliers.programme.schemas.certificates import (
    CertificatePage,
    CertificateView,
    NewCertificate,
)

SHOWN_MAX = 1_000


async def record(
    session: AsyncSession, actor: Actor, agreement_id: UUID, new: NewCertificate, now: datetime
) -> CertificateView:
    """A person of the partner passed a course. Raises NotFound, Invalid."""
    agreement = await _agreement(session, agreement_id)
    if new.expires_at is not None and new.expires_at <= new.issued_at:
        raise Invalid.field("expires_at", "reversed_period", "It expires after it was issued.")
    async with as_house(session):
        person = await accounts.user(session, new.person)
        if person is None or person.organisation_id != agreement.partner_id:
            raise Invalid.field("person", "unknown_person", "Nobody of the partner has this id.")
        if new.document_id is not None:
            document = await documents.document(session, new.document_id)
            sides = (agreement.partner_id, actor.organisation_id)
            if document is None or document.organisation_id not in sides:
                message = "Neither the partner nor you have a document with this id."
                raise Invalid.field("document_id", "unknown_document", message)
    certificate = Certificate(
        id=new_id(),
        agreement_id=agreement.id,
        partner_id=agreement.partner_id,
        user_id=new.person,
        course=" ".join(new.course.split()),
        issued_at=new.issued_at.astimezone(UTC),
        expires_at=new.expires_at and new.expires_at.astimezone(UTC),
        document_id=new.document_id,
        author_id=actor.user_id,
        created_at=now,
    )
    session.add(certificate)
    await session.flush()
    [view] = await _views(session, [certificate], now)
    return view


async def revoke(session: AsyncSession, certificate_id: UUID, now: datetime) -> CertificateView:
    """It counts no longer, from now on. Raises NotFound, Conflict (`revoked_already`)."""
    certificate = await queries.certificate(session, certificate_id)
    if certificate is None:
        raise NotFound("certificate")
    if certificate.revoked_at is not None:
        raise Conflict("revoked_already", "This certificate is revoked.")
    certificate.revoked_at = now
    await session.flush()
    [view] = await _views(session, [certificate], now)
    return view


async def listing(session: AsyncSession, agreement_id: UUID, now: datetime) -> CertificatePage:
    """Newest first. Raises NotFound."""
    agreement = await _agreement(session, agreement_id)
    return CertificatePage(await of_agreement(session, agreement, now))


async def of_agreement(
    session: AsyncSession, agreement: Agreement, now: datetime
) -> list[CertificateView]:
    rows = await queries.certificates(session, agreement.id, SHOWN_MAX)
    return await _views(session, rows, now)


async def _agreement(session: AsyncSession, agreement_id: UUID) -> Agreement:
    agreement = await queries.agreement(session, agreement_id)
    if agreement is None:
        raise NotFound("agreement")
    return agreement


async def _views(
    session: AsyncSession, certificates: Sequence[Certificate], now: datetime
) -> list[CertificateView]:
    people = {}
    async with as_house(session):
        for user_id in {one.user_id for one in certificates}:
            person = await accounts.user(session, user_id)
            assert person is not None, "the foreign key says so"
            people[user_id] = person
    return [
        CertificateView(
            id=one.id,
            person=PartyView(one.user_id, people[one.user_id].name),
            course=one.course,
            issued_at=one.issued_at,
            expires_at=one.expires_at,
            revoked_at=one.revoked_at,
            document_id=one.document_id,
            counts=_counts(one, now) and people[one.user_id].disabled_at is None,
        )
        for one in certificates
    ]


def _counts(certificate: Certificate, now: datetime) -> bool:
    if certificate.revoked_at is not None or certificate.issued_at > now:
        return False
    return certificate.expires_at is None or now < certificate.expires_at
