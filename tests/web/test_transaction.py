"""One unit of work a request: what is answered is durable; the same key gets the same answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace

import asyncpg
import httpx
import pytest
from litestar import Litestar, Response, get, post
from litestar.di import Provide
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.access import PUBLIC, STORES
from marketplace.kernel.db import SYSTEM, Database, after_commit
from marketplace.kernel.errors import NotFound
from marketplace.kernel.settings import Settings
from marketplace.kernel.statements import Reader, Statement
from tests.people import NewPerson, registration
from web.problems import respond
from web.transaction import UnitOfWorkMiddleware, provide_reader, provide_session

Connect = Callable[[], httpx.AsyncClient]
_ADD = text("INSERT INTO notes (word) VALUES (:word)")
_ADD_ONE = Statement("INSERT INTO notes (word) VALUES (:word)")
_COUNT = Statement("SELECT count(*) AS count FROM notes WHERE word = :word")


@post("/notes/{word:str}", opt=PUBLIC)
async def add_note(session: AsyncSession, word: str) -> str:
    """Refuses after its work for `refused` and breaks for `fails`."""
    await session.execute(_ADD, {"word": word})
    if word == "refused":
        return Response("no", status_code=409)  # type: ignore[return-value]
    if word == "fails":
        raise ValueError("in the handler")
    return word


@get("/notes", opt=PUBLIC)
async def count_notes(session: AsyncSession) -> list[str]:
    return list((await session.scalars(text("SELECT word FROM notes ORDER BY word"))).all())


@get("/touch/{word:str}", opt=PUBLIC)
async def touch_notes(session: AsyncSession, word: str) -> str:
    """`locks` a row, `adds` one; a GET may do neither."""
    if word == "locks":
        await session.execute(text("SELECT word FROM notes FOR UPDATE"))
    else:
        await session.execute(_ADD, {"word": word})
    return word


@get("/store/{word:str}", opt=PUBLIC | STORES)
async def store_note(session: AsyncSession, word: str) -> str:
    await session.execute(_ADD, {"word": word})
    return word


@get("/read/{word:str}", opt=PUBLIC)
async def read_notes(reader: Reader, word: str) -> int:
    """`write` tries to, `missing` refuses, `fails` breaks, any other is counted."""
    if word == "write":
        await _ADD_ONE.rows(reader, word=word)
    if word == "missing":
        raise NotFound("note")
    if word == "fails":
        raise ValueError("in the handler")
    row = await _COUNT.row(reader, word="a\0b" if word == "nul" else word)
    assert row is not None
    return int(row["count"])


@pytest.fixture
async def notes(database: Database, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A tiny application with a table whose constraint is checked only at the commit."""
    owner = await asyncpg.connect(settings.database_url)
    await owner.execute("CREATE TABLE notes (word text UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    await owner.execute("GRANT ALL ON notes TO marketplace_app")
    app = Litestar(
        route_handlers=[add_note, count_notes, touch_notes, store_note, read_notes],
        dependencies={
            "session": Provide(provide_session),
            "reader": Provide(provide_reader),
        },
        exception_handlers={Exception: respond},
        logging_config=None,
        openapi_config=None,
    )
    app.state.problem_page = None
    app.state.living = SimpleNamespace(database=database)
    transport = httpx.ASGITransport(app=UnitOfWorkMiddleware(app))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://notes") as client:
        yield client
    await owner.execute("DROP TABLE notes")
    await owner.close()


async def test_a_success_is_durable_when_it_is_answered(notes: httpx.AsyncClient) -> None:
    assert (await notes.post("/notes/kept")).status_code == 201
    assert (await notes.get("/notes")).json() == ["kept"]


@pytest.mark.parametrize(("word", "status"), [("refused", 409), ("fails", 500)])
async def test_a_refusal_leaves_nothing_behind(
    notes: httpx.AsyncClient, word: str, status: int
) -> None:
    assert (await notes.post(f"/notes/{word}")).status_code == status
    assert (await notes.get("/notes")).json() == []


async def test_a_commit_that_fails_is_a_problem_and_never_a_success(
    notes: httpx.AsyncClient,
) -> None:
    await notes.post("/notes/twin")
    answer = await notes.post("/notes/twin")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await notes.get("/notes")).json() == ["twin"]


@pytest.mark.parametrize(
    ("word", "status"),
    [("kept", 200), ("write", 500), ("missing", 404), ("fails", 500), ("nul", 422)],
)
async def test_a_reader_goes_back_whatever_is_answered(
    notes: httpx.AsyncClient, database: Database, word: str, status: int
) -> None:
    await notes.post("/notes/kept")
    assert (await notes.get(f"/read/{word}")).status_code == status
    readers = await database.readers()
    assert readers.get_idle_size() == readers.get_size()
    assert (await notes.get("/notes")).json() == ["kept"]


async def test_a_hint_is_sent_only_after_a_commit(database: Database) -> None:
    sent: list[str] = []

    async def hint() -> None:
        sent.append("hint")

    with pytest.raises(ValueError, match="no"):
        await _fail_after(database, hint)
    assert sent == []
    async with database.transaction(SYSTEM) as session:
        after_commit(session, hint)
        assert sent == []
    assert sent == ["hint"]


async def _fail_after(database: Database, hint: Callable[[], object]) -> None:
    async with database.transaction(SYSTEM) as session:
        after_commit(session, hint)  # type: ignore[arg-type]
        raise ValueError("no")


async def test_the_same_key_and_body_get_the_stored_answer(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    body, key = {"name": "robot", "scopes": ["*"]}, {"Idempotency-Key": "one"}
    first = await buyer.client.post("/api/v1/api_keys", json=body, headers=key)
    second = await buyer.client.post("/api/v1/api_keys", json=body, headers=key)
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len((await buyer.client.get("/api/v1/api_keys")).json()["items"]) == 1


async def test_the_same_key_with_another_body_is_refused(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    key = {"Idempotency-Key": "one"}
    body = {"name": "robot", "scopes": ["*"]}
    await buyer.client.post("/api/v1/api_keys", json=body, headers=key)
    answer = await buyer.client.post("/api/v1/api_keys", json=body | {"name": "other"}, headers=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_of_many_at_once_one_works_and_the_others_replay_or_wait(
    new_buyer: NewPerson, connect_client: Connect
) -> None:
    buyer = await new_buyer()
    key = {"Authorization": f"Bearer {await buyer.api_key()}", "Idempotency-Key": "burst"}
    body = {"name": "robot", "scopes": ["tenders:read"]}
    client = connect_client()
    answers = await asyncio.gather(
        *(client.post("/api/v1/api_keys", json=body, headers=key) for _ in range(8))
    )
    made = {answer.text for answer in answers if answer.status_code == 201}
    others = {answer.json()["code"] for answer in answers if answer.status_code != 201}
    assert len(made) == 1
    assert others <= {"still_running"}
    assert len((await buyer.client.get("/api/v1/api_keys")).json()["items"]) == 2


async def test_a_refused_request_may_be_repeated_with_its_key(client: httpx.AsyncClient) -> None:
    body = registration("Keyed", ["buys"])
    key = {"Idempotency-Key": "registration"}
    wrong = body | {"organisation": body["organisation"] | {"country": "nowhere"}}
    refused = await client.post("/api/v1/registrations", json=wrong, headers=key)
    assert refused.status_code == 422
    made = await client.post("/api/v1/registrations", json=body, headers=key)
    again = await client.post("/api/v1/registrations", json=body, headers=key)
    assert made.status_code == again.status_code == 201
    assert made.json() == again.json()


async def test_one_organisations_key_is_not_anothers(new_buyer: NewPerson) -> None:
    body, key = {"name": "robot", "scopes": ["*"]}, {"Idempotency-Key": "shared"}
    answers = [
        await (await new_buyer()).client.post("/api/v1/api_keys", json=body, headers=key)
        for _ in range(2)
    ]
    assert answers[0].json() != answers[1].json()


async def test_a_stored_answer_is_not_readable_in_the_database(
    new_buyer: NewPerson, database: Database
) -> None:
    buyer = await new_buyer()
    answer = await buyer.client.post(
        "/api/v1/api_keys",
        json={"name": "robot", "scopes": ["*"]},
        headers={"Idempotency-Key": "secret"},
    )
    pool = await database.pool()
    rows = await pool.fetch(
        "SELECT * FROM idempotency_keys WHERE organisation_id = $1", buyer.organisation_id
    )
    assert len(rows) == 1
    assert answer.json()["key"].encode() not in bytes(rows[0]["answer_sealed"])


async def test_a_get_neither_writes_nor_locks(notes: httpx.AsyncClient) -> None:
    await notes.post("/notes/there")
    for word in ("adds", "locks"):
        assert (await notes.get(f"/touch/{word}")).status_code == 500
    assert (await notes.get("/store/stored")).status_code == 200
    assert (await notes.get("/notes")).json() == ["stored", "there"]
