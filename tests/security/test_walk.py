"""Every route by every role with every foreign id: what belongs to others is missing, whoever asks.

A foreign object and one that never was must get the same answer, so that nobody learns even that
something exists. A route that is new fails here until `routes.py` knows its parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from uuid import uuid4

import httpx
import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from marketplace.kernel.db import Database
from tests.auctions.live.arena import peer
from tests.people import Connect, NewPerson, Person
from tests.security.routes import (
    BODIES,
    OF_THE_OPERATOR,
    QUERIES,
    SEEN_BY_ALL,
    Operation,
    operations,
)
from tests.security.world import (
    PUBLIC_IDS,
    RECORDS,
    SHARED_WITH_A_RIVAL,
    Dealing,
    new_dealing,
)
from web.app import Application
from web.auth import SAFE_METHODS

# One world for all of them, so one worker.
pytestmark = pytest.mark.xdist_group("walk")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class World(msgspec.Struct, kw_only=True):
    """`theirs` is what is asked for; the people of `ours` ask, and `nobody`."""

    theirs: Dealing
    ours: Dealing
    operator: Person
    nobody: httpx.AsyncClient
    operations: list[Operation]

    def strangers(self) -> Iterator[tuple[str, Person]]:
        yield "other buyer's admin", self.ours.buyer
        yield "other buyer's observer", self.ours.buyer_observer
        yield "other supplier's admin", self.ours.supplier
        yield "other supplier's observer", self.ours.supplier_observer

    def with_objects(self) -> Iterator[Operation]:
        """Routes with a parameter that names an object of one organisation."""
        for operation in self.operations:
            if operation.object_params() and operation.name not in SEEN_BY_ALL:
                yield operation


@pytest.fixture(scope="module")
async def world(
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    operator: Person,
    connect_client: Connect,
    database: Database,
    app: Application,
) -> World:
    return World(
        theirs=await new_dealing(new_buyer, new_supplier, connect_client, database, operator),
        ours=await new_dealing(new_buyer, new_supplier, connect_client, database, operator),
        operator=operator,
        nobody=connect_client(),
        operations=list(operations(app.litestar)),
    )


async def call(client: httpx.AsyncClient, operation: Operation, path: str) -> httpx.Response:
    body = BODIES.get(operation.name)
    params = QUERIES.get(operation.name)
    if isinstance(body, tuple):
        content, media_type = body
        headers = {"Content-Type": media_type}
        return await client.request(
            operation.method, path, params=params, content=content, headers=headers
        )
    return await client.request(operation.method, path, params=params, json=body)


class Findings:
    """What was wrong, all of it, so that one run tells everything."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def note(self, who: str, operation: Operation, path: str, answer: httpx.Response) -> None:
        text = f"{who}: {operation.method} {path}: {answer.status_code} {answer.text[:200]}"
        self._lines.append(text)

    def show(self) -> str:
        return f"{len(self._lines)} wrong answers\n" + "\n".join(self._lines[:60])

    def __bool__(self) -> bool:
        return bool(self._lines)


def declared_refusal(operation: Operation, answer: httpx.Response) -> bool:
    """Refused by what the route declares, before anything was looked for; pages say it in words."""
    if answer.status_code != 403:
        return False
    codes = set()
    if operation.access.roles:
        codes |= {"role_missing", "one of the roles"}
    if operation.access.operator:
        codes |= {"operator_only", "Only the operator"}
    if operation.access.verified:
        codes |= {"reauthentication_required", "Confirm that it is you"}
    return any(code in answer.text for code in codes)


def leaks(answer: httpx.Response, path: str, secrets: list[str]) -> bool:
    """Whether a word or an id of others is in the answer that was not in the question."""
    return any(secret in answer.text and secret not in path for secret in secrets)


def neutral(text: str) -> str:
    return _ID.sub("ID", text)


def never_were(ids: Mapping[str, str]) -> dict[str, str]:
    return {param: str(uuid4()) for param in ids}


async def test_every_parameter_and_every_exception_is_known(world: World) -> None:
    """Deny by default: what the walk cannot fill is a failure, and so is a stale exception."""
    for operation in world.with_objects():
        assert list(operation.calls(world.theirs.ids)), operation.name
    names = {operation.name for operation in world.operations}
    for table in (BODIES, QUERIES, SEEN_BY_ALL, OF_THE_OPERATOR):
        assert set(table) - names == set()


async def test_nobody_gets_anything_without_a_login(world: World) -> None:
    wrong = Findings()
    for operation in world.with_objects():
        for path in operation.calls(world.theirs.ids):
            answer = await call(world.nobody, operation, path)
            if answer.status_code != 401 or leaks(answer, path, world.theirs.secrets):
                wrong.note("nobody", operation, path, answer)
    assert not wrong, wrong.show()


async def test_what_belongs_to_others_is_missing_for_every_role(world: World) -> None:
    wrong = Findings()
    for operation in world.with_objects():
        missing = list(operation.calls(never_were(world.theirs.ids)))
        for who, person in world.strangers():
            for path, none in zip(operation.calls(world.theirs.ids), missing, strict=True):
                answer = await call(person.client, operation, path)
                as_none = await call(person.client, operation, none)
                told = (answer.status_code, neutral(answer.text))
                fine = answer.status_code == 404 or declared_refusal(operation, answer)
                if not fine or told != (as_none.status_code, neutral(as_none.text)):
                    wrong.note(who, operation, path, answer)
                elif leaks(answer, path, world.theirs.secrets):
                    wrong.note(f"{who} reads of it", operation, path, answer)
    assert not wrong, wrong.show()


async def test_a_foreign_object_is_missing_under_an_own_one_too(world: World) -> None:
    """`/tenders/{own}/documents/{foreign}` and the like."""
    wrong = Findings()
    for operation in world.with_objects():
        outer, *inner = operation.object_params()
        if not inner:
            continue
        key = operation.key(inner[-1])
        client = world.ours.member(key).client
        none = next(operation.calls(world.ours.ids | {key: str(uuid4())}))
        for path in operation.calls(world.ours.ids | {key: world.theirs.ids[key]}):
            answer, as_none = (
                await call(client, operation, path),
                await call(client, operation, none),
            )
            # The state of the own outer object may be asked first.
            fine = answer.status_code in {404, 409} and answer.text == as_none.text
            if not fine or leaks(answer, path, world.theirs.secrets):
                wrong.note(f"own {outer}", operation, path, answer)
    assert not wrong, wrong.show()


async def test_a_rival_in_the_same_tender_finds_nothing_of_the_winner(world: World) -> None:
    theirs, wrong = world.theirs, Findings()
    known = SHARED_WITH_A_RIVAL | PUBLIC_IDS
    private = [value for key, value in theirs.ids.items() if key not in known]
    for operation in world.operations:
        keys = {operation.key(param) for param in operation.object_params()}
        if operation.name in SEEN_BY_ALL or not keys <= theirs.ids.keys():
            continue
        asks_for_private = not keys <= SHARED_WITH_A_RIVAL
        if not asks_for_private and operation.method != "GET":
            continue
        for path in operation.calls(theirs.ids):
            answer = await call(theirs.rival.client, operation, path)
            fine = answer.status_code == 404 or declared_refusal(operation, answer)
            if (asks_for_private and not fine) or leaks(answer, path, private):
                wrong.note("rival", operation, path, answer)
    assert not wrong, wrong.show()


async def test_a_partner_employee_finds_no_record_it_is_not_assigned_to(world: World) -> None:
    """Of its own organisation: orders, claims, documents, invitations, offers, awards, auctions."""
    theirs, wrong = world.theirs, Findings()
    records = [theirs.ids[key] for key in RECORDS]
    for operation in world.operations:
        keys = {operation.key(param) for param in operation.object_params()}
        if operation.name in SEEN_BY_ALL or not keys <= theirs.ids.keys():
            continue
        asks_for_record = not keys.isdisjoint(RECORDS)
        if not asks_for_record and operation.method != "GET":
            continue
        none = operation.calls(theirs.ids | dict.fromkeys(RECORDS, str(uuid4())))
        for path, missing in zip(operation.calls(theirs.ids), none, strict=True):
            answer = await call(theirs.employee.client, operation, path)
            if leaks(answer, path, records):
                wrong.note("employee reads of it", operation, path, answer)
            if not asks_for_record:
                continue
            as_none = await call(theirs.employee.client, operation, missing)
            told = (answer.status_code, neutral(answer.text))
            fine = answer.status_code == 404 or declared_refusal(operation, answer)
            if not fine or told != (as_none.status_code, neutral(as_none.text)):
                wrong.note("employee", operation, path, answer)
    assert not wrong, wrong.show()


async def test_suppliers_find_no_base_list_of_a_rival(world: World) -> None:
    theirs, wrong = world.theirs, Findings()
    secrets = [theirs.base_list_id, theirs.base_list_name]
    suppliers = {
        "rival": theirs.rival,
        "other supplier": world.ours.supplier,
        "other supplier's observer": world.ours.supplier_observer,
    }
    for operation in world.operations:
        asks = operation.object_params() == ["list_id"]
        if not asks and (operation.method != "GET" or operation.object_params()):
            continue
        for path in operation.calls({"list_id": theirs.base_list_id}):
            for who, person in suppliers.items():
                answer = await call(person.client, operation, path)
                fine = answer.status_code == 404 or declared_refusal(operation, answer)
                if (asks and not fine) or leaks(answer, path, secrets):
                    wrong.note(who, operation, path, answer)
    assert not wrong, wrong.show()


async def test_the_operator_reads_no_business_of_its_members(world: World) -> None:
    wrong = Findings()
    for operation in world.with_objects():
        if operation.name in OF_THE_OPERATOR or operation.access.operator:
            continue
        for path in operation.calls(world.theirs.ids):
            answer = await call(world.operator.client, operation, path)
            if answer.status_code != 404 and not declared_refusal(operation, answer):
                wrong.note("operator", operation, path, answer)
    assert not wrong, wrong.show()


async def test_an_observer_of_the_own_organisation_writes_nothing(world: World) -> None:
    wrong = Findings()
    for operation in world.with_objects():
        if operation.method in SAFE_METHODS:
            continue
        for who in (world.ours.buyer_observer, world.ours.supplier_observer):
            for path in operation.calls(world.ours.ids):
                answer = await call(who.client, operation, path)
                if answer.status_code not in {403, 404}:
                    wrong.note(f"observer {who.name}", operation, path, answer)
    assert not wrong, wrong.show()


async def test_what_needs_no_id_shows_nothing_of_others(world: World) -> None:
    """Lists, searches and pages."""
    wrong = Findings()
    for operation in world.operations:
        if operation.method != "GET" or operation.object_params():
            continue
        for path in operation.calls({}):
            asking = list(world.strangers())
            if operation.name not in OF_THE_OPERATOR:
                asking.append(("operator", world.operator))
            for who, person in asking:
                answer = await call(person.client, operation, path)
                if answer.status_code >= 500 or leaks(answer, path, world.theirs.secrets):
                    wrong.note(who, operation, path, answer)
    assert not wrong, wrong.show()


async def test_what_all_may_see_shows_no_secret(world: World) -> None:
    wrong = Findings()
    ids = world.theirs.ids | {"item_id": str(uuid4())}
    for operation in world.operations:
        if operation.name not in SEEN_BY_ALL or operation.method != "GET":
            continue
        if not set(operation.object_params()) <= set(ids):
            continue
        for path in operation.calls(ids):
            for who, person in world.strangers():
                answer = await call(person.client, operation, path)
                if answer.status_code >= 500 or leaks(answer, path, world.theirs.secrets):
                    wrong.note(who, operation, path, answer)
    assert not wrong, wrong.show()


async def test_the_customers_link_shows_no_price(world: World) -> None:
    for path in ("/api/v1/order_status", "/order_status"):
        answer = await world.nobody.get(f"{path}/{world.theirs.ids['status_token']}")
        assert answer.status_code == 200
        for price in ("200000", "200,000", "500.00", "EUR"):
            assert price not in answer.text


@pytest.mark.parametrize("side", ["buyer", "supplier", "buyer_observer", "supplier_observer"])
async def test_the_socket_of_a_foreign_auction_says_unknown(
    world: World, live_server: str, side: str
) -> None:
    person: Person = getattr(world.ours, side)
    url = f"{live_server.replace('http', 'ws', 1)}/api/v1/auctions/"
    for auction_id in (world.theirs.ids["auction_id"], str(uuid4())):
        key = await person.api_key()
        async with peer(f"{url}{auction_id}/live", key) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4404


REFERENCES: dict[str, Callable[[Dealing, Dealing], tuple[str, str, dict[str, str] | None]]] = {
    "an upload to a foreign list": lambda ours, theirs: (
        "supplier",
        "/api/v1/price_imports",
        {"price_list_id": theirs.ids["list_id"]},
    ),
    "a foreign colleague as watcher": lambda ours, theirs: (
        "buyer",
        f"/api/v1/orders/{ours.ids['order_id']}/watchers",
        {"user_id": theirs.ids["user_id"]},
    ),
    "evidence for a foreign claim": lambda ours, theirs: (
        "buyer",
        f"/api/v1/orders/{ours.ids['order_id']}/documents"
        f"?name=a.pdf&claim_id={theirs.ids['claim_id']}",
        None,
    ),
}


@pytest.mark.parametrize("what", REFERENCES)
async def test_a_body_names_nothing_foreign(world: World, what: str) -> None:
    side, path, body = REFERENCES[what](world.ours, world.theirs)
    client = getattr(world.ours, side).client
    if body is None:
        headers = {"Content-Type": "application/pdf"}
        answer = await client.post(path, content=b"%PDF-1.7\nx", headers=headers)
    else:
        answer = await client.post(path, json=body)
    assert answer.status_code in {404, 422}, answer.text
    assert not leaks(answer, path + str(body), world.theirs.secrets)
