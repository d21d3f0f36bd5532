"""From a request and a page's own values to a template: what every page needs is put in here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request
from litestar.response import Redirect, Template

from marketplace.accounts.gate import CSRF_COOKIE
from marketplace.accounts.schemas import Me
from marketplace.accounts.service import logins
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Problem
from marketplace.kernel.statements import Source
from web.translate import Language, choose

AnyRequest = Request[Any, Any, Any]
HOME = "/auctions"
THEME_COOKIE = "theme"
THEMES = frozenset(["light", "dark", "auto"])


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks at the page, as far as pages differ by it."""

    user_id: str
    organisation_id: str
    user_name: str
    initials: str
    organisation_name: str
    state: str
    operator: bool
    buys: bool
    supplies: bool


async def viewer_of(source: Source, actor: Actor) -> Viewer:
    return viewer(await logins.me(source, actor))


def viewer(me: Me) -> Viewer:
    words = [word for word in me.user.name.split() if word[0].isalpha()] or ["?"]
    return Viewer(
        user_id=str(me.user.id),
        organisation_id=str(me.organisation.id),
        user_name=me.user.name,
        initials="".join(word[0] for word in (words[0], *words[1:][-1:])).upper(),
        organisation_name=me.organisation.name,
        state=me.organisation.state,
        operator=me.operator,
        buys="buys" in me.organisation.capabilities and not me.operator,
        supplies="supplies" in me.organisation.capabilities,
    )


def page(
    request: AnyRequest,
    name: str,
    *,
    viewer: Viewer | None = None,
    status: int = 200,
    **values: Any,
) -> Template:
    """The template `name` with `values`; a form's `form`, `errors` and `problem` default to
    nothing.
    """
    return Template(name, context=context(request, viewer) | values, status_code=status)


def context(request: AnyRequest, viewer: Viewer | None) -> dict[str, Any]:
    """What `base.html` needs, with empty defaults for forms."""
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return {
        "fmt": language_of(request),
        "theme": theme if theme in THEMES else "auto",
        "csrf_token": request.cookies.get(CSRF_COOKIE, ""),
        "path": request.url.path,
        "viewer": viewer,
        "area": "",
        "form": {},
        "errors": {},
        "problem": None,
    }


def language_of(request: AnyRequest) -> Language:
    """What the browser asks for, as far as we speak it."""
    return choose(request.headers.get("accept-language", ""))


def field_errors(problem: Problem, names: Mapping[str, str] | None = None) -> dict[str, str]:
    """A text for each wrong field of a form; `names` maps paths of the API to the form's names."""
    known = names or {}
    found: dict[str, str] = {}
    for error in problem.errors:
        found.setdefault(known.get(error.field, error.field), error.message)
    return found


def told(problem: Problem | None) -> dict[str, str] | None:
    """A problem whose fields are not on the page, for one box."""
    if problem is None:
        return None
    messages = dict.fromkeys(error.message for error in problem.errors)
    return {"title": problem.title, "detail": " ".join(messages) or problem.detail}


def go(path: str, **options: Any) -> Redirect:
    """After a form: see other, so that a reload repeats nothing."""
    return Redirect(path, status_code=303, **options)


def own_path(wanted: str | None, otherwise: str = "/") -> str:
    """`wanted` if it leads to a page of ours, never to another site."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return otherwise
    parts = urlsplit(wanted)
    return wanted if not parts.scheme and not parts.netloc and "\\" not in wanted else otherwise
