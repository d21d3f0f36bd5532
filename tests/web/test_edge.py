"""Headers of every answer, writes by cookie, health, metrics and what is logged."""

from __future__ import annotations

import httpx
import pytest
from structlog.testing import capture_logs

from marketplace.kernel.settings import Settings
from tests.conftest import serve
from tests.people import PASSWORD, NewPerson, registration
from web.app import create_app

BODY = {"name": "robot", "scopes": ["*"]}


async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/api/v1/me", "/nothing"):
        headers = (await client.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


async def test_a_given_request_id_comes_back_and_a_strange_one_does_not(
    client: httpx.AsyncClient,
) -> None:
    kept = await client.get("/healthz", headers={"X-Request-Id": "abc-123"})
    assert kept.headers["x-request-id"] == "abc-123"
    strange = await client.get("/healthz", headers={"X-Request-Id": "a b<script>"})
    assert len(strange.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Origin": "https://evil.example"}, "origin_missing_or_foreign"),
        ({"Origin": "null"}, "origin_missing_or_foreign"),
        ({"Origin": ""}, "origin_missing_or_foreign"),
        ({"X-CSRF-Token": ""}, "csrf_token_wrong"),
        ({"X-CSRF-Token": "0" * 64}, "csrf_token_wrong"),
    ],
)
async def test_a_write_by_cookie_needs_its_origin_and_token(
    new_buyer: NewPerson, change: dict[str, str], code: str
) -> None:
    buyer = await new_buyer()
    answer = await buyer.client.post("/api/v1/api_keys", json=BODY, headers=change)
    assert (answer.status_code, answer.json()["code"]) == (403, code)


async def test_the_token_of_another_session_is_worth_nothing(new_buyer: NewPerson) -> None:
    buyer, other = await new_buyer(), await new_buyer()
    stolen = {"X-CSRF-Token": other.client.headers["X-CSRF-Token"]}
    answer = await buyer.client.post("/api/v1/api_keys", json=BODY, headers=stolen)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_token_wrong")


async def test_another_site_logs_nobody_in(new_buyer: NewPerson, client: httpx.AsyncClient) -> None:
    buyer = await new_buyer()
    login = {"email": buyer.email, "password": PASSWORD}
    foreign = {"Origin": "https://evil.example"}
    answer = await client.post("/api/v1/sessions", json=login, headers=foreign)
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_foreign")


async def test_reading_by_cookie_needs_neither(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    for name in ("Origin", "X-CSRF-Token"):
        del buyer.client.headers[name]
    assert (await buyer.client.get("/api/v1/me")).status_code == 200


async def test_the_process_lives_and_is_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).json() == {"status": "ready"}


async def test_a_node_without_its_servers_lives_but_is_not_ready(settings: Settings) -> None:
    nowhere = Settings(
        database_url="postgresql://nobody@/nothing?host=/nonexistent",
        redis_url="unix:///nonexistent/redis.sock",
        secret="x",
        data_dir=settings.data_dir,
    )
    async with (
        serve(create_app(nowhere)) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        assert (await client.get("/healthz")).status_code == 200
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["code"]) == (503, "not_ready")
        assert "retry-after" in ready.headers
        login = {"email": "a@example.com", "password": PASSWORD}
        answer = await client.post("/api/v1/sessions", json=login)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_metrics_count_routes_by_template(
    new_buyer: NewPerson, client: httpx.AsyncClient
) -> None:
    buyer = await new_buyer()
    await buyer.client.get(f"/api/v1/organisations/{buyer.organisation_id}")
    text = (await client.get("/metrics")).text
    assert 'route="/api/v1/organisations/{organisation_id}"' in text
    assert str(buyer.organisation_id) not in text


async def test_nothing_confidential_is_logged(client: httpx.AsyncClient) -> None:
    body = registration("Discreet Ltd", ["buys"])
    with capture_logs() as logged:
        await client.post("/api/v1/registrations", json=body)
        login = {"email": body["user"]["email"], "password": PASSWORD}
        await client.post("/api/v1/sessions", json=login)
    assert [entry["route"] for entry in logged] == ["/api/v1/registrations", "/api/v1/sessions"]
    text = repr(logged)
    for secret in (PASSWORD, body["user"]["email"], "Discreet", client.cookies["session"]):
        assert secret not in text
