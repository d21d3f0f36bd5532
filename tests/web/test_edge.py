"""Headers of every answer, writes by cookie, health, metrics and what is logged."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from litestar import Request
from litestar.routes import HTTPRoute
from structlog.testing import capture_logs

from marketplace.kernel.settings import Settings
from tests.conftest import serve
from tests.people import PASSWORD, NewPerson, registration
from web.app import Application, create_app
from web.health import may_read_metrics

SECURE = "https://market.example"

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
    ready = (await client.get("/readyz")).json()
    names = ("PostgreSQL", "Redis", "auctions")
    assert ready == {"status": "ready", "checks": [{"name": n, "ok": True} for n in names]}


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
        failing = {check["name"] for check in ready.json()["checks"] if not check["ok"]}
        assert failing == {"PostgreSQL", "Redis"}
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


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
async def test_metrics_do_not_answer_what_a_proxy_passes_on(
    client: httpx.AsyncClient, name: str
) -> None:
    answer = await client.get("/metrics", headers={name: "127.0.0.1"})
    assert (answer.status_code, answer.json()["code"]) == (403, "metrics_closed")


async def test_a_configured_token_is_needed_even_from_the_own_machine(settings: Settings) -> None:
    app = create_app(msgspec.structs.replace(settings, metrics_token="of-prometheus"))
    async with serve(app) as url, httpx.AsyncClient(base_url=url) as client:
        for given in ({}, {"Authorization": "Bearer of-prometheus-not"}):
            assert (await client.get("/metrics", headers=given)).status_code == 403
        right = {"Authorization": "Bearer of-prometheus", "X-Forwarded-For": "203.0.113.9"}
        assert (await client.get("/metrics", headers=right)).status_code == 200


@pytest.mark.parametrize(
    ("host", "allowed"),
    [("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("203.0.113.9", False), ("", False)],
)
def test_metrics_are_for_the_own_machine(host: str, allowed: bool) -> None:
    request: Any = Request({"type": "http", "client": (host, 1), "headers": []})  # type: ignore[typeddict-item]
    assert may_read_metrics(request, "") is allowed


def test_the_calls_that_bring_sealed_offers_are_not_counted(app: Application) -> None:
    """How many there are is secret until the opening."""
    uncounted = {
        (method, route.path_format)
        for route in app.litestar.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.opt.get("uncounted")
        for method in handler.http_methods
    }
    assert uncounted == {
        ("POST", "/api/v1/lots/{lot_id}/offers"),
        ("DELETE", "/api/v1/lots/{lot_id}/offers"),
        ("POST", "/tenders/{tender_id}/offer/{lot_id}"),
        ("POST", "/tenders/{tender_id}/offer/{lot_id}/withdraw"),
    }


async def test_a_sealed_offer_leaves_no_trace_in_the_metrics(
    new_supplier: NewPerson, client: httpx.AsyncClient
) -> None:
    supplier = await new_supplier()
    path = f"/api/v1/lots/{supplier.organisation_id}/offers"
    assert (await supplier.client.post(path, json={})).status_code >= 400
    lines = (await client.get("/metrics")).text.splitlines()
    told = [line for line in lines if "/lots/{lot_id}/offers" in line and '"POST"' in line]
    assert told == []


async def test_an_installation_on_https_names_its_cookie_and_host(
    new_buyer: NewPerson, settings: Settings
) -> None:
    buyer = await new_buyer()
    login = {"email": buyer.email, "password": PASSWORD}
    app = create_app(msgspec.structs.replace(settings, public_url=SECURE, secure_cookies=True))
    async with serve(app) as url, httpx.AsyncClient(base_url=url) as client:
        answer = await client.post("/api/v1/sessions", json=login, headers={"Origin": SECURE})
        session, csrf, _ = answer.headers.get_list("set-cookie")
        assert session.startswith("__Host-session=")
        for part in ("; Path=/", "; Secure", "; HttpOnly"):
            assert part in session
        assert "Domain" not in session
        assert csrf.startswith("csrf_token=")
        assert "Secure" in csrf
        policy = answer.headers["content-security-policy"]
        assert "connect-src 'self' wss://market.example;" in policy
        assert "max-age" in answer.headers["strict-transport-security"]
        token = session.partition(";")[0].partition("=")[2]
        client.cookies.clear()
        me = "/api/v1/me"
        own = await client.get(me, headers={"Cookie": f"a=b; __Host-session={token}"})
        assert own.status_code == 200
        planted = await client.get(me, headers={"Cookie": f"session={token}"})
        assert planted.status_code == 401
        both = f"session=planted; __Host-session={token}; session=planted"
        assert (await client.get(me, headers={"Cookie": both})).status_code == 200
        # The csrf token is that of the session, so a write works too, and logging out clears it.
        write = {
            "Cookie": f"__Host-session={token}",
            "Origin": SECURE,
            "X-CSRF-Token": csrf.partition(";")[0].partition("=")[2],
        }
        gone = await client.delete("/api/v1/sessions/current", headers=write)
        assert gone.status_code == 204
        assert gone.headers.get_list("set-cookie")[0].startswith("__Host-session=")


async def test_pages_may_connect_to_the_own_host_only(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/login")).headers["content-security-policy"]
    connect = policy.partition("connect-src ")[2].partition(";")[0].split()
    assert connect == ["'self'", "ws://127.0.0.1:8000"]


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
