"""Who stands above whom, which modules are on, and how many people there may be."""

from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed

from tests.answers import ok, refused
from tests.auctions.live.arena import peer
from tests.people import PASSWORD, Connect, NewPerson, Person, colleague, invitation_token, unique

API = "/api/v1"
PAGES = ("/orders", "/prices", "/tenders")


async def put_under(operator: Person, child: Person, parent: Person | None) -> object:
    body = {"parent_id": parent and str(parent.organisation_id)}
    path = f"{API}/organisations/{child.organisation_id}/parent"
    return await operator.client.put(path, json=body)


async def entitle(
    operator: Person, person: Person, modules: list[str] | None = None, seats: int | None = None
) -> dict[str, object]:
    path = f"{API}/organisations/{person.organisation_id}/entitlements"
    body = {"modules": modules, "seats": seats}
    done: dict[str, object] = ok(await operator.client.put(path, json=body))
    return done


async def invited(person: Person) -> object:
    body = {"email": f"{unique('seat')}@example.com", "roles": ["observer"]}
    return await person.client.post(f"{API}/invitations", json=body)


async def test_two_moves_at_once_never_make_a_cycle(
    operator: Person, new_supplier: NewPerson
) -> None:
    one, other = await new_supplier(), await new_supplier()
    for _ in range(5):
        answers = await asyncio.gather(
            put_under(operator, one, other), put_under(operator, other, one)
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        [refusal] = [answer for answer in answers if answer.status_code == 409]
        assert refusal.json()["code"] == "cycle"
        for each in (one, other):
            ok(await put_under(operator, each, None))


async def test_everybody_sees_the_own_place_and_nobody_sets_it_but_the_operator(
    operator: Person, new_supplier: NewPerson
) -> None:
    root, child, stranger = [await new_supplier() for _ in range(3)]
    ok(await put_under(operator, child, root))
    path = f"{API}/organisations/{child.organisation_id}/parent"
    shown = ok(await child.client.get(path))
    assert [node["id"] for node in shown["path"]] == [
        str(root.organisation_id),
        str(child.organisation_id),
    ]
    assert (await root.client.get(path)).status_code == 404
    assert (await stranger.client.get(path)).status_code == 404
    refused(await child.client.put(path, json={"parent_id": None}), 403, "operator_only")
    nobody = await operator.client.put(path, json={"parent_id": str(operator.user_id)})
    assert nobody.status_code == 404


async def test_thirty_invitations_at_once_take_no_more_seats_than_there_are(
    operator: Person, new_supplier: NewPerson
) -> None:
    person = await new_supplier()
    await entitle(operator, person, seats=4)
    await person.reauthenticate()
    answers = await asyncio.gather(*(invited(person) for _ in range(30)))
    assert [answer.status_code for answer in answers].count(201) == 3
    assert {answer.json()["code"] for answer in answers if answer.status_code != 201} == {"no_seat"}
    me = ok(await person.client.get(f"{API}/me"))
    assert me["entitlements"] == {"modules": None, "seats": 4, "seats_used": 4}


async def test_a_colleague_who_left_frees_a_seat_and_needs_one_to_come_back(
    operator: Person, new_supplier: NewPerson, connect_client: Connect
) -> None:
    person = await new_supplier()
    other = await colleague(connect_client, person, "observer")
    await entitle(operator, person, seats=2)
    refused(await invited(person), 409, "no_seat")
    ok(await person.client.delete(f"{API}/members/{other.user_id}"), 204)
    ok(await invited(person), 201)
    restore = f"/team/members/{other.user_id}/restore"
    page = await person.client.post(restore, data={"x": ""})
    assert page.status_code == 409
    assert "2 seats" in page.text
    await entitle(operator, person, seats=3)
    assert (await person.client.post(restore, data={"x": ""})).status_code == 303


async def test_an_open_invitation_keeps_its_seat_when_seats_are_lowered(
    operator: Person, new_supplier: NewPerson, connect_client: Connect
) -> None:
    person = await new_supplier()
    await person.reauthenticate()
    issued = ok(await invited(person), 201)
    assert (await entitle(operator, person, seats=1))["seats_used"] == 2
    token = await invitation_token(connect_client, issued["email"])
    body = {"name": "Colleague", "password": PASSWORD}
    ok(await connect_client().post(f"{API}/invitations/{token}/accept", json=body), 201)
    refused(await invited(person), 409, "no_seat")


async def test_a_module_that_is_off_is_refused_everywhere(
    operator: Person, new_supplier: NewPerson, live_server: str
) -> None:
    person = await new_supplier()
    assert ok(await person.client.get(f"{API}/orders"))["items"] == []
    await entitle(operator, person, modules=["catalogue"])
    for path in ("orders", "price_lists", "tenders", "agreements/mine"):
        refused(await person.client.get(f"{API}/{path}"), 403, "module_off")
    for path in PAGES:
        assert (await person.client.get(path)).status_code == 403
    ok(await person.client.get(f"{API}/items"))
    assert ok(await person.client.get(f"{API}/me"))["entitlements"]["modules"] == ["catalogue"]
    key = await person.api_key()
    url = f"{live_server.replace('http', 'ws', 1)}/api/v1/auctions/{person.user_id}/live"
    async with peer(url, key) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await socket.hear()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403
    await entitle(operator, person)
    ok(await person.client.get(f"{API}/orders"))


async def test_wrong_entitlements_say_where_and_the_operator_has_none(
    operator: Person, new_supplier: NewPerson
) -> None:
    person = await new_supplier()
    path = f"{API}/organisations/{person.organisation_id}/entitlements"
    wrong = await operator.client.put(path, json={"modules": ["orders", "wishes"], "seats": 1})
    assert [one["field"] for one in wrong.json()["errors"]] == ["modules[1]"]
    own = f"{API}/organisations/{operator.organisation_id}/entitlements"
    refused(await operator.client.put(own, json={"modules": [], "seats": 0}), 409, "wrong_state")
    refused(
        await person.client.put(path, json={"modules": None, "seats": None}), 403, "operator_only"
    )
