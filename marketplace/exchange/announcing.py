"""Write an event into the outbox, in the transaction of what it tells of: both stand or fall
together. Nothing is sent from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import assignment_queries as assignments
from marketplace.accounts import queries as accounts
from marketplace.accounts.models import User
from marketplace.exchange import queries, rules
from marketplace.exchange.catalogue import EVENTS
from marketplace.exchange.models import Delivery, Endpoint, Mail, Message
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


class News(msgspec.Struct, frozen=True):
    """One event for one organisation: the arguments of `announce`."""

    organisation_id: UUID
    kind: str
    data: Mapping[str, object]
    once: str


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
    of its people who work on such things. `once` names what happened; a repeated name sends
    nothing. Works in any scope.
    """
    await announce_all(session, [News(organisation_id, kind, data, once)], now)


async def announce_all(session: AsyncSession, news: Sequence[News], now: datetime) -> None:
    """As `announce`: endpoints and people of many organisations are looked up together, and their
    mails are written in one statement.
    """
    ids = {each.organisation_id for each in news}
    for each in news:
        documented = EVENTS[each.kind].data.__struct_fields__
        assert each.data.keys() == set(documented), f"{each.kind}: other data than documented"
    async with as_house(session):
        endpoints: dict[UUID, list[Endpoint]] = defaultdict(list)
        for endpoint in await queries.endpoints_of(session, ids):
            endpoints[endpoint.organisation_id].append(endpoint)
        mailed = [each for each in news if EVENTS[each.kind].subject is not None]
        people: Mapping[UUID, list[tuple[User, list[str]]]] = {}
        if mailed:
            recipients = {each.organisation_id for each in mailed}
            people = await accounts.members_of(session, recipients, READERS_MAX)
        for each in news:
            wanted = [
                endpoint.id
                for endpoint in endpoints[each.organisation_id]
                if endpoint.disabled_at is None
                and (not endpoint.events or each.kind in endpoint.events)
            ]
            if wanted:
                await send_to(
                    session, each.organisation_id, wanted, each.kind, each.data, each.once, now
                )
        letters: list[Letter] = []
        for each in mailed:
            letters += await _letters(session, each, people.get(each.organisation_id, []))
        await _write_mails(session, letters, now)


async def send_to(
    session: AsyncSession,
    organisation_id: UUID,
    endpoint_ids: list[UUID],
    kind: str,
    data: Mapping[str, object],
    once: str,
    now: datetime,
) -> None:
    """A message and its deliveries, due at once. Nothing when `once` was sent before."""
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


async def _letters(
    session: AsyncSession, news: News, people: Sequence[tuple[User, list[str]]]
) -> list[Letter]:
    """One for each reader."""
    event = EVENTS[news.kind]
    words = {name: str(value).replace("_", " ") for name, value in news.data.items()}
    ids = {name: str(value) for name, value in news.data.items()}
    assert event.subject is not None, "the caller asked"
    subject = one_line(event.subject.format_map(words))
    subjects = [UUID(ids[name]) for name in _ASSIGNABLE if name in ids]
    at_work: set[UUID] = set()
    if subjects:
        at_work = await assignments.assigned_to_any(session, news.organisation_id, subjects)
    return [
        Letter(
            organisation_id=news.organisation_id,
            user_id=user.id,
            once=news.once,
            address=user.email,
            kind=news.kind,
            subject=subject,
            text=event.text.format_map(words),
            path=event.path.format_map(ids),
        )
        for user, roles in people
        if user.disabled_at is None
        and not event.readers.isdisjoint(roles)
        and (user.id in at_work or not OWN_RECORDS_ONLY.issuperset(roles))
    ]


async def _write_mails(session: AsyncSession, letters: Sequence[Letter], now: datetime) -> None:
    if not letters:
        return
    rows = [
        msgspec.structs.asdict(letter)
        | {"id": new_id(), "state": "pending", "attempts": 0, "next_at": now, "created_at": now}
        for letter in letters
    ]
    written = insert(Mail).on_conflict_do_nothing(index_elements=["user_id", "once"])
    await session.execute(written, rows)


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
