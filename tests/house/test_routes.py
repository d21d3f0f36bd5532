"""Every route says who may call it, and says it truly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID, uuid4

import httpx
import pytest
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler
from litestar.routes import HTTPRoute, WebSocketRoute

from marketplace.kernel.access import Access
from marketplace.kernel.settings import Settings
from tests.people import NewPerson
from web.app import Application, create_app

_IS_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def declared(app: Application) -> Iterator[tuple[str, str, Access]]:
    """Method, path and declaration of every HTTP route a person or program can call."""
    for route in app.litestar.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if method not in {"OPTIONS", "HEAD"}:
                    yield method, filled(route), handler.opt["access"]


def filled(route: HTTPRoute) -> str:
    """The route's path with a fresh id, a 1 or a word for every parameter."""
    samples = {UUID: str(uuid4()), int: "1"}
    return "/" + "/".join(
        part if isinstance(part, str) else samples.get(part.type, "word")
        for part in route.path_components
    )


@pytest.fixture(scope="module")
def built(settings: Settings) -> Application:
    return create_app(settings)


def test_every_route_declares_its_access(built: Application) -> None:
    undeclared = [
        f"{route.path} {handler.handler_name}"
        for route in built.litestar.routes
        for handler in handlers_of(route)
        if not isinstance(handler.opt.get("access"), Access)
    ]
    assert undeclared == []


def handlers_of(route: object) -> list[HTTPRouteHandler | WebsocketRouteHandler]:
    if isinstance(route, HTTPRoute):
        return [h for m, (h, _) in route.route_handler_map.items() if m != "OPTIONS"]
    return [route.route_handler] if isinstance(route, WebSocketRoute) else []


def test_only_sockets_guard_themselves(built: Application) -> None:
    assert [path for _, path, access in declared(built) if access.kind == "socket"] == []


def test_every_websocket_guards_itself(built: Application) -> None:
    for route in built.litestar.routes:
        if isinstance(route, WebSocketRoute):
            assert route.route_handler.opt["access"].kind == "socket", route.path


async def test_nobody_enters_a_members_route(built: Application, client: httpx.AsyncClient) -> None:
    for method, path, access in declared(built):
        if access.kind == "member":
            answer = await client.request(method, path)
            assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"


async def test_a_stranger_finds_no_object_of_others_by_any_route(
    built: Application, new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    """With ids that belong to nobody a route answers 404, or refuses the caller or the body before
    it looks; never a success and never a failure of ours.
    """
    for person in (await new_buyer(), await new_supplier()):
        for method, path, access in declared(built):
            if has_object(path) and access.kind == "member":
                answer = await person.client.request(method, path, json={})
                assert answer.status_code in {400, 403, 404, 413, 422}, f"{method} {path}"


async def test_a_key_without_scopes_for_it_opens_no_route(
    built: Application, new_buyer: NewPerson, client: httpx.AsyncClient
) -> None:
    scope = "exchange:read"
    key = {"Authorization": f"Bearer {await (await new_buyer()).api_key(scope)}"}
    for method, path, access in declared(built):
        if access.kind == "member" and access.scope != scope:
            answer = await client.request(method, path, headers=key)
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"


def has_object(path: str) -> bool:
    return path.startswith("/api/") and any(_IS_ID.fullmatch(part) for part in path.split("/"))
