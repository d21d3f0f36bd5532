"""A problem as a page, for people; programs get the problem document."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import MediaType, Request, Response

from web.assets import NotBuilt
from web.pages.forms import posted_fields
from web.pages.render import context, go
from web.problems import ProblemDocument

_RETRY = frozenset([429, 500, 502, 503])


def problem_page(
    request: Request[Any, Any, Any], document: ProblemDocument
) -> Response[Any] | None:
    """The page for this problem, or None where the caller is no browser. Somebody who must log in
    first is sent there and comes back.
    """
    if not _wants_page(request):
        return None
    if document.status == 401 and request.method == "GET":
        return go(f"/login?next={quote(request.url.path)}")
    try:
        shown = _confirmation(request, document) or _rendered(request, document)
        return Response(shown, status_code=document.status, media_type=MediaType.HTML)
    except NotBuilt:
        return None


def _wants_page(request: Request[Any, Any, Any]) -> bool:
    if request.url.path.startswith(("/api/", "/assets/")):
        return False
    return "text/html" in request.headers.get("accept", "")


def _confirmation(request: Request[Any, Any, Any], document: ProblemDocument) -> str | None:
    """The password is asked for, and what was posted goes on from there."""
    fields = posted_fields(request.scope)
    if document.code != "reauthentication_required" or fields is None:
        return None
    engine = request.app.template_engine
    assert engine is not None, "pages come with a template engine"
    values = context(request, None) | {"action": request.url.path, "fields": fields}
    return str(engine.get_template("reauthenticate.html").render(**values))


def _rendered(request: Request[Any, Any, Any], document: ProblemDocument) -> str:
    engine = request.app.template_engine
    assert engine is not None, "pages come with a template engine"
    values = context(request, None)
    values |= {
        "status": document.status,
        "title": document.title,
        "detail": document.detail,
        "advice": _advice(document.status, values["fmt"].gettext),
        "retry": document.status in _RETRY,
    }
    return str(engine.get_template("problem.html").render(**values))


def _advice(status: int, _: Any) -> str:
    advice = {
        403: _("If you need this, ask an administrator of your organisation."),
        404: _("Check the address, or look for it in your lists."),
        409: _("Somebody may have changed it meanwhile. Look at it again."),
        429: _("Wait a moment, then try again."),
        500: _("It is on record. Nothing you sent was half done."),
        503: _("Nothing is lost. Try again in a moment."),
    }
    return str(advice.get(status, ""))
