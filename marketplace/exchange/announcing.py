"""Write an event into the outbox, in the transaction of what it tells of: both stand or fall
together. Nothing is sent from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import assignment_queries as assignments
from marketplace.accounts import queries as accounts
from marketplace.exchange import queries, rules
from marketplace.exchange.catalogue import EVENTS
from marketplace.exchange.models import Delivery, Mail, Message
from marketplace.kernel.actor import OWN_RECORDS_ONLY
from marketplace.kernel.ids import new_id
from marketplace.kernel.scope import as_house
from marketplace.kernel.sealing import Sealer

READERS_MAX = 200
SUBJECT_CHARS_MAX = 200
_ASSIGNABLE = ("order_id", "tender_id")
"""What of an event names something that people are assigned to: a partner employee gets mail about
its own work only.
"""


class Envelope(msgspec.Struct, frozen=True):
    """The body of a webhook, as the specification recommends."""

    type: str
    timestamp: str
    data: Mapping[str, object]


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One mail before it is written; the fields are those of `models.Mail`."""

    organisation_id: UUID
    user_id: UUID
    once: str
    address: str
    kind: str
    subject: str
    text: str
    path: str


async def announce(
    session: AsyncSession,
    organisation_id: UUID,
    kind: str,
    data: Mapping[str, object],
    once: str,
    now: datetime,
) -> None:
    """Tell an organisation: a webhook to each of its endpoints that wants this kind, a mail to each
    of its people who work on such things. `once` names what happened; the same is told once.
    Works in any scope.
    """
    event = EVENTS[kind]
    assert data.keys() == set(event.data.__struct_fields__), f"{kind}: other data than documented"
    async with as_house(session):
        wanted = [
            endpoint
            for endpoint in await queries.endpoints(session, organisation_id)
            if endpoint.disabled_at is None and (not endpoint.events or kind in endpoint.events)
        ]
        if wanted:
            await send_to(
                session,
                organisation_id,
                [endpoint.id for endpoint in wanted],
                kind,
                data,
                once,
                now,
            )
        if event.subject is not None:
            await _mails(session, organisation_id, kind, data, once, now)


async def send_to(
    session: AsyncSession,
    organisation_id: UUID,
    endpoint_ids: list[UUID],
    kind: str,
    data: Mapping[str, object],
    once: str,
    now: datetime,
) -> None:
    """A message and its deliveries, due at once. Nothing when `once` was told before."""
    moment = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    body = msgspec.json.encode(Envelope(kind, moment, data))
    assert len(body) <= rules.BODY_BYTES_MAX, "an event carries ids, not whole documents"
    message_id = new_id()
    written = await session.execute(
        insert(Message)
        .values(
            id=message_id,
            organisation_id=organisation_id,
            kind=kind,
            once=once,
            body=body.decode(),
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["organisation_id", "once"])
        .returning(Message.id)
    )
    if written.first() is None:
        return
    session.add_all(
        Delivery(
            id=new_id(),
            message_id=message_id,
            endpoint_id=endpoint_id,
            organisation_id=organisation_id,
            state="pending",
            attempts=0,
            next_at=now,
        )
        for endpoint_id in endpoint_ids
    )
    await session.flush()


async def _mails(
    session: AsyncSession,
    organisation_id: UUID,
    kind: str,
    data: Mapping[str, object],
    once: str,
    now: datetime,
) -> None:
    event = EVENTS[kind]
    words = {name: str(value).replace("_", " ") for name, value in data.items()}
    ids = {name: str(value) for name, value in data.items()}
    assert event.subject is not None, "the caller asked"
    subject = one_line(event.subject.format_map(words))
    subjects = [UUID(ids[name]) for name in _ASSIGNABLE if name in ids]
    at_work = await assignments.assigned_to_any(session, organisation_id, subjects)
    for user, roles in await accounts.members(session, organisation_id, READERS_MAX):
        if user.disabled_at is not None or event.readers.isdisjoint(roles):
            continue
        if OWN_RECORDS_ONLY.issuperset(roles) and user.id not in at_work:
            continue
        await write_mail(
            session,
            Letter(
                organisation_id=organisation_id,
                user_id=user.id,
                once=once,
                address=user.email,
                kind=kind,
                subject=subject,
                text=event.text.format_map(words),
                path=event.path.format_map(ids),
            ),
            now,
        )


async def write_mail(
    session: AsyncSession, letter: Letter, now: datetime, *, links: Sealer | None = None
) -> None:
    """Due at once. Nothing when the same was written to the same person before. With `links` the
    path lets in whoever has it, so it is stored sealed and left out of the outbox.
    """
    mail_id = new_id()
    fields = msgspec.structs.asdict(letter)
    if links is not None:
        fields["link_sealed"] = links.seal(letter.path.encode(), mail_id.bytes)
        fields["path"] = "/"
    await session.execute(
        insert(Mail)
        .values(
            id=mail_id,
            **fields,
            state="pending",
            attempts=0,
            next_at=now,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["user_id", "once"])
    )


def one_line(subject: str) -> str:
    """A subject is one line whatever a title or a name holds."""
    return " ".join(subject.split())[:SUBJECT_CHARS_MAX]
