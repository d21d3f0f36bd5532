"""Two people who edit one object never overwrite each other without seeing it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tests.auctions.tenders.tendering import draft
from tests.people import Connect, NewPerson


async def test_a_stale_tag_is_refused_and_changes_nothing(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    path = f"/api/v1/tenders/{(await draft(buyer))['id']}"
    tag = (await buyer.client.get(path)).headers["etag"]
    first = await buyer.client.patch(path, json={"title": "First"}, headers={"If-Match": tag})
    assert first.status_code == 200, first.text
    second = await buyer.client.patch(path, json={"title": "Second"}, headers={"If-Match": tag})
    assert (second.status_code, second.json()["code"]) == (412, "stale")
    assert (await buyer.client.get(path)).json()["title"] == "First"


async def test_the_answer_to_a_change_carries_the_new_tag(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    path = f"/api/v1/tenders/{(await draft(buyer))['id']}"
    changed = await buyer.client.patch(path, json={"title": "Other"})
    assert changed.headers["etag"] == (await buyer.client.get(path)).headers["etag"]


async def test_of_two_writers_with_one_tag_one_is_refused(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    path = f"/api/v1/tenders/{(await draft(buyer))['id']}"
    tag = (await buyer.client.get(path)).headers["etag"]
    answers = await asyncio.gather(
        *(
            buyer.client.patch(path, json={"title": f"T{n}"}, headers={"If-Match": tag})
            for n in range(6)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5


async def test_unchanged_content_is_not_sent_again(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    path = f"/api/v1/tenders/{(await draft(buyer))['id']}"
    tag = (await buyer.client.get(path)).headers["etag"]
    again = await buyer.client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_tag_of_another_object_is_stale(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    one, other = [f"/api/v1/tenders/{(await draft(buyer))['id']}" for _ in range(2)]
    tag = (await buyer.client.get(other)).headers["etag"]
    answer = await buyer.client.patch(one, json={"title": "X"}, headers={"If-Match": tag})
    assert answer.status_code == 412


async def test_a_key_that_cannot_read_overwrites_nothing_it_names_a_tag_of(
    new_buyer: NewPerson, connect_client: Connect
) -> None:
    buyer, program = await new_buyer(), connect_client()
    path = f"/api/v1/tenders/{(await draft(buyer))['id']}"
    program.headers["Authorization"] = f"Bearer {await buyer.api_key('tenders:write')}"
    answer = await program.patch(path, json={"title": "X"}, headers={"If-Match": '"old"'})
    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    assert (await program.patch(path, json={"title": "X"})).status_code == 200


async def test_a_slow_body_keeps_no_other_writer_waiting(new_buyer: NewPerson) -> None:
    """Strangers too could send one to any object's path."""
    owner, stranger = await new_buyer(), await new_buyer()
    path = f"/api/v1/tenders/{(await draft(owner))['id']}"
    begun, rest = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"title": '
        begun.set()
        await rest.wait()
        yield b'"Slow"}'

    headers = {"Content-Type": "application/json"}
    slow = asyncio.create_task(stranger.client.patch(path, content=slowly(), headers=headers))
    await begun.wait()
    # Whether the server has begun with it by now or not, the owner's write must come through.
    for number in range(5):
        written = await owner.client.patch(path, json={"title": f"T{number}"}, timeout=5)
        assert written.status_code == 200, written.text
    rest.set()
    assert (await slow).status_code == 404
