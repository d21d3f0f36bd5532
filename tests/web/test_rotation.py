"""A master secret is changed, and a wrong one is noticed before it does harm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from auctions.book.envelope import Envelope
from auctions.book.receipts import load_signer
from marketplace.exchange.delivery import PURPOSE
from marketplace.kernel import secret_file
from marketplace.kernel.db import Database
from marketplace.kernel.ids import new_id
from marketplace.kernel.sealing import NotSealedHere, Sealer
from marketplace.kernel.secret import Secret
from marketplace.kernel.settings import Settings, environment, read_settings
from tests.auctions.tenders.test_offers import act, offer, ok, overdue, sealed
from tests.conftest import serve
from tests.people import PASSWORD, NewPerson
from tests.web.test_cli import bare, run, serving
from web.app import create_app
from web.rotation import Rotated, kept_columns, rotate

NEW = "another secret of the tests"
WRONG = "not the secret of the tests"
NOT_BY_THE_SECRET = {("offers", "sealed")}
"""Sealed to the key of a tender, whose shares are sealed by the secret."""


@asynccontextmanager
async def rotated(database: Database, settings: Settings) -> AsyncIterator[Rotated]:
    """The tests' database under NEW, and afterwards as the other tests need it."""
    try:
        yield await rotate(database, Secret(NEW, settings.secret))
    finally:
        await rotate(database, Secret(settings.secret, NEW))


@asynccontextmanager
async def node(settings: Settings, secret: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(msgspec.structs.replace(settings, secret=secret))
    async with serve(app) as url, httpx.AsyncClient(base_url=url, timeout=20) as client:
        yield client


async def test_what_was_sealed_before_opens_after(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, settings: Settings
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    tender = await sealed(buyer, supplier)
    ok(await offer(supplier, tender["lots"][0]["id"], "300000.00"), 201)
    await overdue(database, tender["id"])
    hook = {"url": "https://hooks.example.com/x", "events": ["order.placed"]}
    made = ok(await supplier.client.post("/api/v1/endpoints", json=hook), 201)
    once = {"Idempotency-Key": f"rotated {new_id()}"}
    key = {"name": "robot", "scopes": ["tenders:read"]}
    first = ok(await buyer.client.post("/api/v1/api_keys", json=key, headers=once), 201)
    pool = await database.pool()
    await load_signer(pool, settings.secret)
    await pool.execute(
        "UPDATE users SET totp_sealed = $1 WHERE id = $2",
        Sealer(settings.secret, "totp").seal(b"BASE32", supplier.user_id.bytes),
        supplier.user_id,
    )
    auction_id, body = new_id(), b'{"a bid": "of a sealed phase"}'
    envelope = Envelope(settings.secret).seal(auction_id, body)
    await pool.execute(
        "INSERT INTO auction_commands (auction_id, seq, ts, bidder, cid, body, outcome, chain)"
        " VALUES ($1, 1, 1, 'b', 'c', $2, $2, ''), ($1, 2, 2, 'b', 'd', '{}', '{}', '')",
        auction_id,
        envelope,
    )
    async with rotated(database, settings) as done:
        assert done.resealed >= 6
        assert (await rotate(database, Secret(NEW, settings.secret))).resealed == 0
        row = await pool.fetchrow(
            "SELECT body, outcome FROM auction_commands WHERE auction_id = $1 AND seq = 1",
            auction_id,
        )
        for kept in row:
            assert Envelope(NEW).open(auction_id, kept) == body
            with pytest.raises(NotSealedHere):
                Envelope(settings.secret).open(auction_id, kept)
        await load_signer(pool, NEW)
        kept = await pool.fetchrow(
            "SELECT e.id, e.secret_sealed, u.totp_sealed FROM exchange_endpoints e, users u"
            " WHERE e.id = $1::uuid AND u.id = $2",
            made["endpoint"]["id"],
            supplier.user_id,
        )
        hook_secret = Sealer(NEW, PURPOSE).open(kept["secret_sealed"], kept["id"].bytes)
        assert hook_secret.decode() == made["secret"]
        opened = Sealer(NEW, "totp").open(kept["totp_sealed"], supplier.user_id.bytes)
        assert opened == b"BASE32"
        # A node in the middle of the change opens both, and its people need not log in again.
        async with node(settings, Secret(NEW, settings.secret)) as both:
            assert (await both.get("/readyz")).status_code == 200
            write = {
                "Cookie": buyer.cookie_header(),
                "X-CSRF-Token": buyer.client.headers["X-CSRF-Token"],
                "Origin": str(both.base_url).rstrip("/"),
            }
            again = await both.post("/api/v1/api_keys", json=key, headers=write | once)
            assert again.headers["idempotent-replayed"] == "true"
            assert again.json() == first
        # One that knows the new one only opens what was sealed to the tender.
        async with node(settings, NEW) as after:
            assert (await after.get("/readyz")).status_code == 200
        # The nodes that still have the former one say so, and write nothing.
        stale = await buyer.client.get("/readyz")
        assert (stale.status_code, stale.json()["code"]) == (503, "wrong_secret")
        refused = await act(buyer, tender["id"], "open")
        assert (refused.status_code, refused.json()["code"]) == (503, "wrong_secret")
    assert (await buyer.client.get("/readyz")).status_code == 200
    assert ok(await act(buyer, tender["id"], "open"))["offers_count"] == 1


async def test_every_sealed_column_is_rotated(database: Database) -> None:
    pool = await database.pool()
    rows = await pool.fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE data_type = 'bytea'"
        " AND table_schema = 'public' AND (column_name LIKE '%sealed%' OR column_name LIKE"
        " '%wrapped%')"
    )
    found = {(row["table_name"], row["column_name"]) for row in rows} - NOT_BY_THE_SECRET
    known = {(kept.table, kept.column) for kept in kept_columns("x")}
    assert found <= known
    assert known - found == {
        ("auction_commands", "body"),
        ("auction_commands", "outcome"),
        ("auction_snapshots", "state"),
    }


async def test_an_interrupted_rotation_changes_nothing(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = await database.pool()
    await load_signer(pool, settings.secret)
    question = "SELECT string_agg(wrapped_private::text, ',' ORDER BY key_id) FROM signing_keys"
    before = await pool.fetchval(question)

    async def killed(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr("marketplace.kernel.secret.note_change", killed)
    with pytest.raises(ConnectionError):
        await rotate(database, Secret(NEW, settings.secret))
    assert await pool.fetchval(question) == before


async def test_a_wrong_secret_is_noticed_at_the_start(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    assert (await client.get("/readyz")).status_code == 200
    with capture_logs() as logged:
        async with node(settings, WRONG) as wrong:
            ready = await wrong.get("/readyz")
            assert (ready.status_code, ready.json()["code"]) == (503, "wrong_secret")
            assert "MARKETPLACE_SECRET" in ready.json()["detail"]
            login = {"email": "a@example.com", "password": PASSWORD}
            assert (await wrong.post("/api/v1/sessions", json=login)).status_code == 503
            assert (await wrong.get("/healthz")).status_code == 200
    said = [entry for entry in logged if entry["event"] == "wrong_secret"]
    assert len(said) == 1
    assert WRONG not in repr(logged)


async def test_the_command_names_what_is_missing_and_refuses_foreign_secrets(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    assert (await client.get("/readyz")).status_code == 200
    code, _, err = await run("rotate-secret", env=environment(settings))
    assert (code, err.count("\n")) == (1, 1)
    assert "MARKETPLACE_SECRET_OTHER" in err
    foreign = msgspec.structs.replace(settings, secret=Secret(NEW, WRONG))
    code, _, err = await run("rotate-secret", env=environment(foreign))
    assert (code, err.count("\n")) == (1, 1)
    assert "nothing was changed" in err
    assert (await client.get("/readyz")).status_code == 200


async def test_the_own_secret_lies_beside_the_data_and_is_changed_by_the_command(
    tmp_path: Path,
) -> None:
    data, file = tmp_path / "var", tmp_path / "var.secret"
    before = secret_file.read_or_make(data)
    code, out, err = await run("rotate-secret", "--data", str(data))
    assert (code, err) == (0, ""), err
    assert str(file) in out
    after = file.read_text()
    assert len(after) == 64
    assert after != before
    assert file.stat().st_mode & 0o777 == 0o600
    assert not secret_file.next_path_of(data).exists()
    assert after.encode() not in [each.read_bytes() for each in data.glob("*") if each.is_file()]
    file.write_text(before)
    async with serving("--data", str(data)) as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/readyz")).json()["code"] == "wrong_secret"
        code, _, err = await run("rotate-secret", "--data", str(data))
        assert (code, err.count("\n")) == (1, 1)
        assert "stop it first" in err


def test_the_file_is_made_once_moved_closed_and_never_empty(tmp_path: Path) -> None:
    data = tmp_path / "var"
    first = secret_file.read_or_make(data)
    assert secret_file.read_or_make(data) == first
    assert first.others == ()
    path = secret_file.path_of(data)
    path.chmod(0o644)
    secret_file.read_or_make(data)
    assert path.stat().st_mode & 0o777 == 0o600
    assert secret_file.make(path) == first, "a secret that exists is never replaced"
    following = secret_file.make(secret_file.next_path_of(data))
    assert secret_file.read_or_make(data).others == (following,)
    path.write_text("\n")
    with pytest.raises(OSError, match="is empty"):
        secret_file.read_or_make(data)
    other = tmp_path / "older"
    other.mkdir()
    (other / "secret").write_text("of an earlier release\n")
    assert secret_file.read_or_make(other) == "of an earlier release"
    assert [each.name for each in other.iterdir()] == []


def test_children_get_both_secrets() -> None:
    env = bare() | {
        "MARKETPLACE_DATABASE_URL": "postgresql://here/x",
        "MARKETPLACE_REDIS_URL": "redis://here",
        "MARKETPLACE_SECRET": "one",
        "MARKETPLACE_SECRET_OTHER": "two",
    }
    child = read_settings(environment(read_settings(env)))
    assert (child.secret, getattr(child.secret, "others", ())) == ("one", ("two",))
