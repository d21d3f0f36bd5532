"""Every answer that is not a success, as RFC 9457 `application/problem+json`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, ValidationException
from sqlalchemy.exc import DBAPIError

from marketplace.kernel.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Gone,
    Invalid,
    Malformed,
    NotFound,
    PreconditionFailed,
    Problem,
    TooFast,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from marketplace.kernel.outage_log import OUTAGES
from marketplace.kernel.outages import is_outage

MEDIA_TYPE = "application/problem+json"
_AT = re.compile(r"(?P<message>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_AT_BODY = re.compile(r"`\$\.data\b[^`]*`$")
_CLIENT_GONE = "client disconnected prematurely"  # Litestar's words for a body that breaks off
_NAMED_FIELD = re.compile(r"`([^`]+)`$")
_MISSING_PARAMETER = re.compile(r"Missing required (\w+) parameter '([^']+)'")
TITLES = {
    kind.status: kind.title
    for kind in (
        Malformed,
        Unauthenticated,
        Forbidden,
        NotFound,
        Conflict,
        Gone,
        PreconditionFailed,
        TooLarge,
        Invalid,
        TooFast,
        Unavailable,
    )
}
"""HTTP status → title of the problems our own code raises."""
_CODES = {
    400: ("malformed", "Malformed request"),
    401: ("not_authenticated", "Not authenticated"),
    403: ("forbidden", "Not allowed"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
    413: ("too_large", "Too large"),
    415: ("unsupported_media_type", "Unsupported media type"),
    422: ("invalid", "Invalid content"),
    429: ("too_fast", "Too many requests"),
}
# 22021 a character the encoding does not have (NUL), 22P05 the same inside JSON.
_UNSTORABLE = frozenset(["22021", "22P05"])

_log = structlog.get_logger(__name__)


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem as in RFC 9457. Programs decide by `code`, people read `detail`.

    type    names the kind of problem, as `code` does, e.g. `urn:marketplace:problem:invalid_rules`
    title   what the status means, e.g. `Invalid content`
    status  the HTTP status again, e.g. `422`
    detail  what is wrong in this case, in a sentence, e.g. `These rules cannot be used.`
    code    stable and documented; more may come, e.g. `invalid_rules`
    errors  every wrong field; left out where it is not about fields
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] = []


class Rendered(msgspec.Struct, frozen=True):
    """A problem ready to send."""

    document: ProblemDocument
    headers: dict[str, str]

    def body(self) -> bytes:
        return msgspec.json.encode(self.document)


def render(error: Exception) -> Rendered:
    """The problem that tells of `error`; nothing of an unforeseen one but that it happened."""
    if isinstance(error, Problem):
        return _of_problem(error)
    if isinstance(error, ValidationException):
        return _of_validation(error)
    if isinstance(error, HTTPException):
        return _of_http(error)
    if _is_unstorable(error):
        return _of_problem(Invalid("unstorable_text", "A text has a character that none may have."))
    if is_outage(error):
        OUTAGES.failed(error, where="answering a request")
        return _of_problem(Unavailable())
    _log.error("request_failed", exc_info=error)
    return _document(500, "Internal error", "internal_error", "Something went wrong here.")


def respond(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's exception handler for everything."""
    rendered = render(error)
    page = request.app.state.problem_page
    if page is not None and (answer := page(request, rendered.document)) is not None:
        answer.headers.update(rendered.headers)
        return answer  # type: ignore[no-any-return]  # a page's own response
    return Response(
        rendered.body(),
        status_code=rendered.document.status,
        headers=rendered.headers,
        media_type=MEDIA_TYPE,
    )


def _is_unstorable(error: Exception) -> bool:
    """NUL or half a surrogate pair, which JSON can spell and PostgreSQL cannot keep."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if origin is None:
        return False
    return getattr(origin, "sqlstate", None) in _UNSTORABLE or any(
        isinstance(cause, UnicodeEncodeError) for cause in (origin, origin.__cause__)
    )


def _of_problem(problem: Problem) -> Rendered:
    headers = {}
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    return _document(
        problem.status, problem.title, problem.code, problem.detail, problem.errors, headers
    )


def _of_http(error: HTTPException) -> Rendered:
    status = error.status_code
    if status >= 500:
        if _is_of_body(error):
            return _of_validation(error)
        if error.detail == _CLIENT_GONE:
            return _of_problem(Malformed("body_incomplete", "The request ended too early."))
        _log.error("request_failed", exc_info=error)
        return _document(500, "Internal error", "internal_error", "Something went wrong here.")
    code, title = _CODES.get(status, ("http_error", "The request was refused"))
    headers = dict(error.headers or {}) if isinstance(error, MethodNotAllowedException) else {}
    if status == 400:
        return _of_problem(Malformed("malformed", "The request cannot be read."))
    return _document(status, title, code, f"{title}.", headers=headers)


def _is_of_body(error: HTTPException) -> bool:
    """Litestar takes a wrong field of the body for a fault of ours when a dependency has the same
    name (`totp`, `session`, `answers`, …).
    """
    cause = error.__cause__
    return isinstance(cause, msgspec.ValidationError) and _AT_BODY.search(str(cause)) is not None


def _of_validation(error: HTTPException) -> Rendered:
    code, title = _CODES[422]
    cause = error.__cause__
    if isinstance(cause, msgspec.ValidationError):
        errors = [_field_error(str(cause))]
    elif missing := _MISSING_PARAMETER.search(error.detail):
        errors = [FieldError(missing[2], "required", "This is missing.")]
    else:
        errors = []
    detail = errors[0].message if errors else "The request breaks a rule."
    if errors and errors[0].code == "unknown_field":
        code = "unknown_field"
    return _document(422, title, code, detail, errors)


def _field_error(text: str) -> FieldError:
    """From msgspec's words: ``Expected `str`, got `int` - at `$.data.lots[0].title` ``."""
    match = _AT.fullmatch(text)
    assert match is not None, "the pattern takes any text"
    message, path = match["message"], (match["path"] or "").removeprefix(".")
    if path == "data" or path.startswith(("data.", "data[")):
        path = path.removeprefix("data").removeprefix(".")
    code = "invalid"
    if message.startswith("Object missing required field"):
        named = _NAMED_FIELD.search(message)
        name = named[1] if named else ""
        path = name if path == "" else f"{path}.{name}"
        # Litestar wraps the body as `data`; a missing body is the whole content.
        path, code, message = ("" if path == "data" else path), "required", "This is missing."
    elif message.startswith("Object contains unknown field"):
        named = _NAMED_FIELD.search(message)
        name = named[1] if named else ""
        path = name if path == "" else f"{path}.{name}"
        code, message = "unknown_field", "There is no such field."
    elif message.startswith("Expected"):
        code = "wrong_type"
    elif message.startswith(("Invalid", "Malformed")):
        code = "malformed"
    return FieldError(path, code, message)


def _document(
    status: int,
    title: str,
    code: str,
    detail: str,
    errors: tuple[FieldError, ...] | list[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Rendered:
    document = ProblemDocument(
        type=f"urn:marketplace:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        errors=list(errors),
    )
    return Rendered(document, dict(headers or {}))
