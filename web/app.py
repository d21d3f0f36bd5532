"""The application of one node, ready for any ASGI server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.response import Stream
from litestar.static_files import create_static_files_router
from litestar.types import ASGIApp, ControllerRouterHandler, Receive, Scope, Send

from marketplace.accounts.guessing import LoginLimits
from marketplace.kernel.access import PUBLIC
from marketplace.kernel.clock import Clock
from marketplace.kernel.settings import Settings
from web import lists
from web.auth import guard
from web.conditions import EntityTags, refuse_stale
from web.cookies import HostCookies
from web.documented import DocumentedStructs
from web.edge import Edge
from web.metrics import Metrics
from web.openapi import openapi_config
from web.pages import problem_page
from web.problems import respond
from web.strict import known_calls, refuse_unknown
from web.strict_request import StrictRequest
from web.suffixes import without_suffix
from web.templating import template_config
from web.transaction import UnitOfWorkMiddleware, replay
from web.wiring import DEPENDENCIES, HANDLERS, Living, drain, living

BODY_BYTES_MAX = 1 << 20
STATIC = Path(__file__).parent / "static"


class Application:
    """An ASGI application. `litestar` is what answers inside the wrappers."""

    def __init__(self, litestar: Litestar, edge: Edge) -> None:
        self.litestar = litestar
        self._edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._edge(without_suffix(scope), receive, send)

    async def drain(self) -> None:
        """Send everybody to other nodes; call it before the server stops."""
        await drain(self.litestar.state.living)

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """What a server does at start and end, for those who call the application without one."""
        return self.litestar.lifespan()


def create_app(
    settings: Settings, *, clock: Clock | None = None, limits: LoginLimits | None = None
) -> Application:
    """Nothing is read from the environment and nothing is contacted before the lifespan begins."""
    clock = clock or Clock()
    metrics = Metrics()
    litestar = Litestar(
        route_handlers=[*HANDLERS, *_static()],
        lifespan=[partial(_alive, parts=living(settings, clock, metrics, limits or LoginLimits()))],
        state=State({"problem_page": problem_page}),
        dependencies=dict[str, Any](DEPENDENCIES),
        guards=[guard],
        before_request=_before,
        exception_handlers={Exception: respond},
        request_class=StrictRequest,
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=openapi_config(),
        plugins=[DocumentedStructs()],
        template_config=template_config(),
        logging_config=None,
    )
    tagged = EntityTags(litestar)
    whole = UnitOfWorkMiddleware(tagged)
    litestar.state.known_calls = known_calls(litestar)
    litestar.state.lists = lists.lists_of(litestar)
    litestar.state.in_this_unit, litestar.state.whole = tagged, whole
    inside: ASGIApp = whole
    if settings.secure_cookies:
        inside = HostCookies(inside)
    return Application(litestar, Edge(inside, metrics, clock, origin=settings.origin))


@asynccontextmanager
async def _alive(app: Litestar, parts: AbstractAsyncContextManager[Living]) -> AsyncIterator[None]:
    async with parts as app.state.living:
        yield


async def _before(request: Request[Any, Any, Any]) -> Response[Any] | Stream | None:
    """What holds for every call of the API, after its guard and before its handler."""
    await refuse_unknown(request)
    if (answer := await lists.answer(request)) is not None:
        return answer
    await refuse_stale(request)
    return await replay(request)


def _static() -> list[ControllerRouterHandler]:
    """Built files of the pages; an installation without them still serves the API."""
    if not STATIC.is_dir():
        return []
    return [
        create_static_files_router(
            path="/static", directories=[STATIC], opt=PUBLIC, include_in_schema=False
        )
    ]
