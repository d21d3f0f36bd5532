"""Whether the process lives, whether it can commit and sequence, and its metrics."""

from __future__ import annotations

import hmac
import ipaddress
from typing import Any

import msgspec
from litestar import Request, Response, get

from marketplace.kernel.access import PUBLIC
from marketplace.kernel.errors import Forbidden, Unavailable
from marketplace.kernel.settings import Settings
from web.metrics import MEDIA_TYPE, Metrics
from web.problems import MEDIA_TYPE as PROBLEM
from web.problems import render
from web.readiness import Check, Readiness

_PASSED_ON = ("forwarded", "via", "x-forwarded-for", "x-real-ip")


class Health(msgspec.Struct, frozen=True):
    """The process lives.

    status  always `ok`: a process that does not live answers nothing, e.g. `ok`
    """

    status: str = "ok"


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """What a bid needs; a 503 with the same `checks` where one of them fails.

    status  always `ready`: what is not is answered as a problem, e.g. `ready`
    checks  one for each part: the database, the sequencer, the secret and so on
    """

    status: str = "ready"
    checks: list[Check]


@get("/healthz", opt=PUBLIC, tags=["operation"], summary="Ask whether the process lives")
async def healthz() -> Health:
    """The process lives."""
    return Health()


@get("/readyz", opt=PUBLIC, tags=["operation"], summary="Ask whether bids can be taken")
async def readyz(readiness: Readiness) -> Response[Ready]:
    """The process can do what a bid needs: record it in PostgreSQL and commit, give it its place in
    Redis, and follow one more auction. Nothing real is written. Answers within a second; each
    check that fails says why.
    """
    checks = await readiness.checks()
    failing = [check for check in checks if not check.ok]
    if not failing:
        return Response(Ready(checks=checks))
    detail = "; ".join(f"{check.name}: {check.reason}" for check in failing)
    problem = render(Unavailable(failing[0].code, f"{detail}."))
    document = msgspec.to_builtins(problem.document) | {"checks": msgspec.to_builtins(checks)}
    answer: Response[Any] = Response(
        msgspec.json.encode(document),
        status_code=Unavailable.status,
        headers=problem.headers,
        media_type=PROBLEM,
    )
    return answer


@get("/metrics", opt=PUBLIC, include_in_schema=False)
async def metrics_text(
    request: Request[Any, Any, Any], metrics: Metrics, settings: Settings
) -> Response[bytes]:
    """For the monitoring of the operator only: rates by route tell competitors a lot."""
    if not may_read_metrics(request, settings.metrics_token):
        raise Forbidden(
            "metrics_closed",
            "Metrics are for the own machine, or for the bearer of MARKETPLACE_METRICS_TOKEN.",
        )
    return Response(metrics.text(), media_type=MEDIA_TYPE)


def may_read_metrics(request: Request[Any, Any, Any], token: str) -> bool:
    """A configured token is needed from everywhere. Without one a caller on the own machine may,
    unless it says that it passes on somebody else's request.
    """
    if token:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    if request.client is None or any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


HANDLERS = [healthz, readyz, metrics_text]
