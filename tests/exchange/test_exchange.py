"""From a fact to a signed webhook and a mail: the outbox, retries, dead letters, rotation."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text

from marketplace.exchange import rules, service
from marketplace.exchange.announcing import announce
from marketplace.exchange.catalogue import EVENTS
from marketplace.exchange.delivery import PURPOSE, Post
from marketplace.exchange.schemas import NewEndpoint
from marketplace.exchange.sender import Sender
from marketplace.exchange.signing import new_secret, sign, verify
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.ids import OrganisationId, UserId
from marketplace.kernel.sealing import Sealer
from marketplace.kernel.settings import Settings
from tests.answers import ok, refused
from tests.exchange import receiver
from tests.exchange.conftest import Ahead
from tests.exchange.receiver import Receiver
from tests.orders.ordering import ordered
from tests.people import NewPerson, Person, unique

URL = "/api/v1/endpoints"
OUTBID = {"auction_id": "a", "tender_id": "t", "lot_id": "l", "title": "Pumps", "seq": 7}


@pytest.fixture
async def post(database: Database, settings: Settings, clock: Ahead) -> Post:
    sealer = Sealer(settings.secret, PURPOSE)
    async with database.transaction(SYSTEM) as session:
        # Other tests' endpoints are not listening any more.
        await session.execute(text("DELETE FROM exchange_endpoints"))
    return Post(database, clock, sealer, Sender(private=True, timeout_s=0.5))


async def listening(
    database: Database, settings: Settings, person: Person, there: Receiver, *events: str
) -> tuple[UUID, str]:
    """(endpoint, secret) of a receiver on this machine."""
    actor = Actor(
        user_id=UserId(person.user_id),
        organisation_id=OrganisationId(person.organisation_id),
        roles=frozenset(["admin"]),
        capabilities=frozenset(),
    )
    near = msgspec.structs.replace(settings, webhook_private=True)
    new = NewEndpoint(url=there.url, events=list(events))
    async with database.transaction(actor) as session:
        made = await service.add(session, actor, near, new, datetime.now(UTC))
    return made.endpoint.id, made.secret


async def announced(database: Database, person: Person, kind: str = "auction.outbid") -> None:
    async with database.transaction(SYSTEM) as session:
        await announce(
            session, person.organisation_id, kind, OUTBID, unique("event"), datetime.now(UTC)
        )


async def test_other_data_than_documented_is_never_sent(
    new_supplier: NewPerson, database: Database
) -> None:
    supplier = await new_supplier()
    async with database.transaction(SYSTEM) as session:
        for data in ({}, OUTBID | {"lead": "1.00"}):
            with pytest.raises(AssertionError, match="other data than documented"):
                await announce(
                    session,
                    supplier.organisation_id,
                    "auction.outbid",
                    data,
                    "x",
                    datetime.now(UTC),
                )


async def announced_and_failed(database: Database, person: Person) -> None:
    async with database.transaction(SYSTEM) as session:
        await announce(
            session, person.organisation_id, "auction.outbid", OUTBID, "never", datetime.now(UTC)
        )
        raise ZeroDivisionError


async def deliveries(person: Person, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(await person.client.get("/api/v1/deliveries", params=query))[
        "items"
    ]
    return found


async def test_an_order_reaches_the_suppliers_endpoint_signed(
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    database: Database,
    settings: Settings,
    post: Post,
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    async with Receiver().running() as there:
        _, secret = await listening(database, settings, supplier, there, "order.placed")
        order = await ordered(buyer, supplier)
        assert await post.deliver_due() == 1
        assert await post.deliver_due() == 0
    [got] = there.got
    assert verify(secret, got.headers, got.body, int(datetime.now(UTC).timestamp()))
    assert not verify(new_secret(), got.headers, got.body, int(datetime.now(UTC).timestamp()))
    body = json.loads(got.body)
    assert body["type"] == "order.placed"
    assert body["data"] == {
        "order_id": order["id"],
        "number": order["number"],
        "event": "request",
        "state": "placed",
    }
    [row] = await deliveries(supplier)
    assert (row["state"], row["last_status"], row["attempts"]) == ("delivered", 204, 1)
    assert await deliveries(buyer) == []


async def test_what_is_rolled_back_is_never_sent(
    new_supplier: NewPerson, database: Database, settings: Settings, post: Post
) -> None:
    supplier = await new_supplier()
    async with Receiver().running() as there:
        await listening(database, settings, supplier, there)
        with pytest.raises(ZeroDivisionError):
            await announced_and_failed(database, supplier)
        assert await post.deliver_due() == 0


async def test_the_same_event_is_sent_once(
    new_supplier: NewPerson, database: Database, settings: Settings, post: Post
) -> None:
    supplier = await new_supplier()
    async with Receiver().running() as there:
        await listening(database, settings, supplier, there)
        for _ in range(2):
            async with database.transaction(SYSTEM) as session:
                await announce(
                    session,
                    supplier.organisation_id,
                    "auction.outbid",
                    OUTBID,
                    "once",
                    datetime.now(UTC),
                )
        assert await post.deliver_due() == 1


async def test_failures_are_repeated_with_the_same_id_until_they_succeed(
    new_supplier: NewPerson, database: Database, settings: Settings, post: Post, clock: Ahead
) -> None:
    supplier = await new_supplier()
    async with Receiver(receiver.FAILED, receiver.FAILED, receiver.OK).running() as there:
        endpoint, _ = await listening(database, settings, supplier, there)
        await announced(database, supplier)
        assert await post.deliver_due() == 1
        assert await post.deliver_due() == 0
        [row] = await deliveries(supplier)
        assert (row["state"], row["last_status"], row["last_error"]) == ("pending", 500, "oops")
        assert ok(await supplier.client.get(f"{URL}/{endpoint}"))["failing_since"] is not None
        clock.ahead += timedelta(seconds=7)
        assert await post.deliver_due() == 1
        clock.ahead += timedelta(minutes=7)
        assert await post.deliver_due() == 1
    assert len({got.headers["webhook-id"] for got in there.got}) == 1
    assert len({got.headers["webhook-signature"] for got in there.got}) == 3
    [row] = await deliveries(supplier)
    assert (row["state"], row["attempts"], row["last_error"]) == ("delivered", 3, None)
    assert ok(await supplier.client.get(f"{URL}/{endpoint}"))["failing_since"] is None


async def test_a_dead_letter_is_replayed_with_its_id(
    new_supplier: NewPerson, database: Database, settings: Settings, post: Post, clock: Ahead
) -> None:
    supplier = await new_supplier()
    async with Receiver(receiver.FAILED).running() as there:
        endpoint, _ = await listening(database, settings, supplier, there)
        await announced(database, supplier)
        for _ in range(rules.ATTEMPTS_MAX):
            await post.deliver_due()
            clock.ahead += timedelta(hours=10)
            async with database.transaction(SYSTEM) as session:
                await session.execute(
                    text("UPDATE exchange_deliveries SET next_at = :now WHERE state = 'pending'"),
                    {"now": clock.now()},
                )
        assert [row["state"] for row in await deliveries(supplier, state="dead")] == ["dead"]
        assert len(there.got) == rules.ATTEMPTS_MAX
        there.answers = [receiver.OK]
        assert ok(await supplier.client.post(f"{URL}/{endpoint}/replay"))["deliveries"] == 1
        await post.deliver_due()
        [row] = await deliveries(supplier)
        assert row["state"] == "delivered"
        stranger = await new_supplier()
        path = f"/api/v1/deliveries/{row['id']}/replay"
        assert (await stranger.client.post(path)).status_code == 404
        ok(await supplier.client.post(path))
        refused(await supplier.client.post(path), 409, "still_pending")
        await post.deliver_due()
    assert len({got.headers["webhook-id"] for got in there.got}) == 1


async def test_long_failure_and_gone_disable_an_endpoint(
    new_supplier: NewPerson, database: Database, settings: Settings, post: Post, clock: Ahead
) -> None:
    gone, failing = await new_supplier(), await new_supplier()
    async with (
        Receiver(receiver.GONE).running() as first,
        Receiver(receiver.FAILED).running() as second,
    ):
        one, _ = await listening(database, settings, gone, first)
        other, _ = await listening(database, settings, failing, second)
        for person in (gone, failing):
            await announced(database, person)
        await post.deliver_due()
        assert "410" in ok(await gone.client.get(f"{URL}/{one}"))["disabled_reason"]
        assert ok(await failing.client.get(f"{URL}/{other}"))["enabled"] is True
        clock.ahead += timedelta(days=6)
        await post.deliver_due()
        assert ok(await failing.client.get(f"{URL}/{other}"))["enabled"] is False
        await announced(database, failing)
        assert await post.deliver_due() == 0
    again = ok(await failing.client.patch(f"{URL}/{other}", json={"enabled": True}))
    assert (again["enabled"], again["failing_since"]) == (True, None)


async def test_one_that_hangs_does_not_hold_up_the_others(
    new_supplier: NewPerson, database: Database, settings: Settings, post: Post
) -> None:
    slow, quick = await new_supplier(), await new_supplier()
    async with Receiver(None).running() as hanging, Receiver().running() as there:
        await listening(database, settings, slow, hanging)
        await listening(database, settings, quick, there)
        for _ in range(12):
            await announced(database, slow)
        await announced(database, quick)
        sending = asyncio.create_task(post.deliver_due())
        async with asyncio.timeout(10):
            await there.arrived.wait()
            assert len(hanging.got) <= 4
            await sending
    errors = {row["last_error"] for row in await deliveries(slow)}
    assert errors == {"No answer in time."}


async def test_two_workers_send_each_message_once(
    new_supplier: NewPerson, database: Database, settings: Settings, post: Post
) -> None:
    supplier = await new_supplier()
    async with Receiver().running() as there:
        await listening(database, settings, supplier, there)
        for _ in range(10):
            await announced(database, supplier)
        counts = await asyncio.gather(*(post.deliver_due() for _ in range(3)))
    assert sum(counts) == len(there.got) == 10


async def test_a_rotated_secret_signs_beside_the_former_for_a_day(
    new_supplier: NewPerson, database: Database, settings: Settings, post: Post, clock: Ahead
) -> None:
    supplier = await new_supplier()
    async with Receiver().running() as there:
        endpoint, old = await listening(database, settings, supplier, there)
        new = ok(await supplier.client.post(f"{URL}/{endpoint}/rotate"), 201)["secret"]
        await announced(database, supplier)
        await post.deliver_due()
        clock.ahead += timedelta(hours=25)
        await announced(database, supplier)
        await post.deliver_due()
    first, second = there.got
    now_s = int(datetime.now(UTC).timestamp())
    assert verify(old, first.headers, first.body, now_s)
    assert verify(new, first.headers, first.body, now_s)
    assert not verify(old, second.headers, second.body, now_s + 25 * 3600)
    assert verify(new, second.headers, second.body, now_s + 25 * 3600)


async def test_secrets_are_shown_once_and_sealed_at_rest(
    new_supplier: NewPerson, database: Database
) -> None:
    supplier = await new_supplier()
    body = {"url": "https://hooks.example.com/x", "events": ["order.placed"]}
    made = ok(await supplier.client.post(URL, json=body), 201)
    assert made["secret"].startswith("whsec_")
    endpoint = made["endpoint"]
    assert made["secret"] not in (await supplier.client.get(f"{URL}/{endpoint['id']}")).text
    async with database.transaction(SYSTEM) as session:
        sealed = await session.scalar(
            text("SELECT secret_sealed FROM exchange_endpoints WHERE id = :id"),
            {"id": endpoint["id"]},
        )
    assert made["secret"].encode() not in sealed
    stranger = await new_supplier()
    for answer in (
        await stranger.client.get(f"{URL}/{endpoint['id']}"),
        await stranger.client.patch(f"{URL}/{endpoint['id']}", json={"enabled": False}),
        await stranger.client.post(f"{URL}/{endpoint['id']}/rotate"),
        await stranger.client.post(f"{URL}/{endpoint['id']}/test"),
        await stranger.client.delete(f"{URL}/{endpoint['id']}"),
    ):
        assert answer.status_code == 404
    assert ok(await stranger.client.get(URL))["items"] == []
    ok(await supplier.client.delete(f"{URL}/{endpoint['id']}"), 204)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://hooks.example.com/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://hooks.example.com/", "events": ["no.such"]}, "events[0]"),
    ],
)
async def test_wrong_endpoints_are_refused(
    new_supplier: NewPerson, body: dict[str, Any], field: str
) -> None:
    supplier = await new_supplier()
    answer = await supplier.client.post(URL, json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_test_event_goes_to_one_endpoint(
    new_supplier: NewPerson, database: Database, settings: Settings, post: Post
) -> None:
    supplier = await new_supplier()
    async with Receiver().running() as there:
        endpoint, _ = await listening(database, settings, supplier, there, "order.placed")
        await listening(database, settings, supplier, there)
        sent = ok(await supplier.client.post(f"{URL}/{endpoint}/test"), 201)
        assert (sent["kind"], sent["state"]) == ("endpoint.test", "pending")
        assert await post.deliver_due() == 1


async def test_the_catalogue_is_public_to_members(new_supplier: NewPerson) -> None:
    supplier = await new_supplier()
    found = ok(await supplier.client.get("/api/v1/events"))["items"]
    assert {event["name"] for event in found} == set(EVENTS)


def test_signatures_are_those_of_the_specification() -> None:
    """The worked example of the specification's reference libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_attempts_are_spread_and_end() -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC)
    first = rules.next_attempt(1, now, 0.5)
    assert first == now + timedelta(seconds=5)
    early, late = rules.next_attempt(2, now, 0.0), rules.next_attempt(2, now, 0.999)
    assert early is not None
    assert late is not None
    assert early < now + timedelta(minutes=5) < late
    assert rules.next_attempt(1, now, 0.5, 600) == now + timedelta(minutes=10)
    assert rules.next_attempt(rules.ATTEMPTS_MAX, now, 0.5) is None
