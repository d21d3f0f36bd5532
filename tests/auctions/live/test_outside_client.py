"""A program written from the public contract alone: registration to result, twenty suppliers.

It knows HTTP, WebSocket and JSON, nothing of this project: what it needs, integrators need.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.people import Person, unique

SUPPLIERS = 20


class Program:
    """One organisation's program: registers, makes itself an API key, then uses only that."""

    def __init__(self, url: str) -> None:
        self.http = httpx.AsyncClient(base_url=url, timeout=30)
        self.organisation = ""
        self.key = ""

    async def register(self, capability: str) -> None:
        name = unique("Outside")
        body = {
            "organisation": {
                "name": name,
                "country": "DE",
                "tax_id": unique("DE"),
                "capabilities": [capability],
            },
            "user": {
                "name": name,
                "email": f"{unique('o')}@example.com",
                "password": "a long enough password",
            },
        }
        made = (await self.ok("POST", "/api/v1/registrations", body, 201))["organisation"]
        self.organisation = made["id"]
        login = {key: body["user"][key] for key in ("email", "password")}
        await self.ok("POST", "/api/v1/sessions", login, 201)
        headers = {
            "Origin": str(self.http.base_url).rstrip("/"),
            "X-CSRF-Token": self.http.cookies["csrf_token"],
        }
        answer = await self.http.post(
            "/api/v1/api_keys", json={"name": "robot", "scopes": ["*"]}, headers=headers
        )
        assert answer.status_code == 201, answer.text
        self.key = answer.json()["key"]
        self.http.cookies.clear()
        self.http.headers["Authorization"] = f"Bearer {self.key}"

    async def ok(self, method: str, path: str, body: object = None, status: int = 200) -> dict:
        answer = await self.http.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def live(self, auction: str) -> connect:
        url = str(self.http.base_url).replace("http", "ws", 1).rstrip("/")
        return connect(
            f"{url}/api/v1/auctions/{auction}/live",
            subprotocols=["marketplace.v1"],
            additional_headers={"Authorization": f"Bearer {self.key}"},
            proxy=None,
        )


async def next_of(socket: ClientConnection, *types: str) -> dict:
    while (frame := json.loads(await socket.recv()))["type"] not in types:
        pass
    return frame


async def wait_open(socket: ClientConnection) -> dict:
    await socket.send(json.dumps({"type": "hello"}))
    snapshot = await next_of(socket, "snapshot")
    state = snapshot["state"]
    while state != "open":
        state = (await next_of(socket, "state"))["state"]
    return snapshot


async def place(socket: ClientConnection, cid: str, price: str) -> dict:
    await socket.send(json.dumps({"type": "bid", "cid": cid, "price": price}))
    while (ack := await next_of(socket, "ack"))["cid"] != cid:
        pass
    return ack


async def supply(program: Program, auction: str, number: int) -> dict:
    """Bid, lose the connection, resume with what was seen last, bid again."""
    first = f"{480_000 - number * 1_000}.00"
    async with program.live(auction) as socket:
        snapshot = await wait_open(socket)
        ack = await place(socket, f"first-{number}", first)
        assert ack["outcome"] == "accepted", ack
        seen = snapshot["seq"]
    async with program.live(auction) as socket:
        hello = {"type": "hello", "last_seq": seen, "epoch": snapshot["epoch"]}
        await socket.send(json.dumps(hello))
        again = await place(socket, f"first-{number}", first)
        assert again["receipt"] == ack["receipt"]
        last = await place(socket, f"second-{number}", f"{470_000 - number * 1_000}.00")
        assert last["outcome"] == "accepted", last
        frame = await next_of(socket, "state")
        while frame["state"] != "closed":
            frame = await next_of(socket, "state")
    return last


async def test_from_registration_to_result(live_server: str, operator: Person) -> None:
    buyer, *suppliers = [Program(live_server) for _ in range(SUPPLIERS + 1)]
    await buyer.register("buys")
    for each in suppliers:
        await each.register("supplies")
        approve = f"/api/v1/organisations/{each.organisation}/approve"
        assert (await operator.client.post(approve)).status_code == 200
    starts_at = datetime.now(UTC) + timedelta(seconds=3)
    rules = {
        "format": "english",
        "starts_at": starts_at.isoformat(),
        "duration_s": 12,
        "step": {"against": "own", "kind": "amount", "value": "50.00"},
        "scoring": {"kind": "price"},
        "visibility": "rank_and_lead",
    }
    lot = {
        "title": "400 pumps",
        "items": [{"name": "Pump", "quantity": "400", "unit": "C62"}],
        "ceiling": {"amount": "500000.00", "currency": "EUR"},
        "rules": rules,
    }
    body = {"title": "Pumps", "currency": "EUR", "access": "invited", "lots": [lot]}
    tender = await buyer.ok("POST", "/api/v1/tenders", body, 201)
    path = f"/api/v1/tenders/{tender['id']}"
    invited = {"organisations": [each.organisation for each in suppliers]}
    await buyer.ok("POST", f"{path}/invitations", invited, 201)
    published = await buyer.ok("POST", f"{path}/publish")
    auction = published["lots"][0]["auction_id"]
    for each in suppliers:
        await each.ok("POST", f"{path}/participation", {"accept_terms": True})
    async with asyncio.timeout(120):
        jobs = [supply(each, auction, number) for number, each in enumerate(suppliers)]
        acks = await asyncio.gather(*jobs)
    result = await buyer.ok("GET", f"/api/v1/auctions/{auction}")
    assert result["state"] == "closed"
    assert [row["rank"] for row in result["standing"]] == list(range(1, SUPPLIERS + 1))
    winner = result["standing"][0]
    assert (winner["price"], winner["evaluated"]) == ("451000.00", "451000.00")
    assert winner["seq"] == acks[-1]["seq"]
    for each in (buyer, *suppliers):
        await each.http.aclose()
