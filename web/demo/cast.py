"""Who takes part: made through the public API, as any outside program would."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import msgspec

from auctions.live.rest_client import ApiProblem, RestClient
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.schemas import NewUser
from marketplace.accounts.service import make_operator
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database

PASSWORD = "marketplace-demo-2026"  # noqa: S105  # printed for whoever runs the demo
BOTS = (
    "Alder Pumps", "Birch Hydraulics", "Cedar Works", "Dogwood Supply", "Elm Engineering",
    "Fir Machines", "Gingko Trading", "Hazel Industries", "Ivy Components", "Juniper Flow",
    "Larch Systems", "Maple Mechanics",
)  # fmt: skip
GUESTS = ("Guest One", "Guest Two")


class Player(msgspec.Struct, frozen=True):
    """One organisation with its login and an API client that acts as its first user."""

    name: str
    email: str
    organisation_id: str
    key: str
    rest: RestClient


class Cast(msgspec.Struct, frozen=True):
    operator_email: str
    buyer: Player
    bots: list[Player]
    guests: list[Player]


async def assemble(
    base_url: str,
    database: Database,
    bots: Sequence[str] = BOTS,
    guests: Sequence[str] = GUESTS,
) -> Cast:
    """Operator, buyer, bots and suppliers for people, all approved. Raises ApiProblem, OSError."""
    operator_email = "operator@demo.example"
    async with database.transaction(SYSTEM) as session:
        user = NewUser(name="Olga Operator", email=operator_email, password=PASSWORD)
        await make_operator(session, Clock(), Passwords(), "Demo Marketplace", user)
    operator = RestClient(base_url, await asyncio.to_thread(new_key, base_url, operator_email))
    buyer = await _register(base_url, "City Water Works", "buyer@demo.example", ["buys"], 0)
    suppliers = []
    for number, name in enumerate((*bots, *guests), start=1):
        email = f"{name.lower().replace(' ', '.')}@demo.example"
        player = await _register(base_url, name, email, ["supplies"], number)
        path = f"/api/v1/organisations/{player.organisation_id}/approve"
        await operator.post(path, {"reason": "Takes part in the demo."})
        suppliers.append(player)
    return Cast(operator_email, buyer, suppliers[: len(bots)], suppliers[len(bots) :])


async def _register(
    base_url: str, name: str, email: str, capabilities: list[str], number: int
) -> Player:
    rest = RestClient(base_url)
    made = await rest.post(
        "/api/v1/registrations",
        {
            "organisation": {
                "name": name, "country": "UA", "tax_id": f"DEMO{number:06}",
                "capabilities": capabilities,
            },
            "user": {"name": f"{name.split()[0]} Demo", "email": email, "password": PASSWORD},
        },
    )  # fmt: skip
    key = await asyncio.to_thread(new_key, base_url, email)
    return Player(name, email, made["organisation"]["id"], key, RestClient(base_url, key))


def new_key(base_url: str, email: str) -> str:
    """Log in as a browser does and make an API key with all rights. Raises ApiProblem, OSError."""
    parts = urlsplit(base_url)
    connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=30)
    try:
        cookies, _ = _post(
            connection, "/api/v1/sessions", {"email": email, "password": PASSWORD}, {}
        )
        jar = SimpleCookie()
        for cookie in cookies:
            jar.load(cookie)
        headers = {
            "Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items()),
            "Origin": f"{parts.scheme}://{parts.netloc}",
            "X-CSRF-Token": jar["csrf_token"].value,
        }
        _, made = _post(connection, "/api/v1/api_keys", {"name": "demo", "scopes": ["*"]}, headers)
    finally:
        connection.close()
    return str(made["key"])


def _post(
    connection: HTTPConnection, path: str, body: object, headers: dict[str, str]
) -> tuple[list[str], dict[str, Any]]:
    sent = msgspec.json.encode(body)
    connection.request("POST", path, sent, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    raw = answer.read()
    if answer.status >= 400:
        raise ApiProblem(answer.status, msgspec.json.decode(raw))
    decoded = msgspec.json.decode(raw, type=dict[str, Any]) if raw else {}
    return answer.headers.get_all("Set-Cookie") or [], decoded
