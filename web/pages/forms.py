"""HTML forms without scripts: the token that a script would send as a header comes as a field."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import cast
from urllib.parse import parse_qs, parse_qsl

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Receive, Scope, Send

from marketplace.kernel.decimals import NotADecimal, wire_decimal
from marketplace.kernel.errors import Invalid, TooLarge
from marketplace.kernel.times import YEARS
from web.pages.render import AnyRequest

FORM_BYTES_MAX = 256 * 1024
POSTED = "marketplace.form"
"""Where in the scope a posted form is kept for `posted_fields`."""
FIELDS_MAX = 2_000
GAP = "gap"
"""In place of the offset: the browser's clocks jump over the typed time."""

# UTC+14 is the farthest zone there is.
OFFSET_MAX = timedelta(hours=15)
_FORM = b"application/x-www-form-urlencoded"
_TOKEN = b"x-csrf-token"


class FormTokenMiddleware:
    """Copies the field `csrf_token` of a posted form into the header that the guard looks at.

    The guard keeps asking for the own Origin and compares the token; nothing is decided here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != "POST" or not _is_form(scope):
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        found = parse_qs(body.decode("utf-8", "replace"), max_num_fields=FIELDS_MAX)
        scope[POSTED] = body  # type: ignore[literal-required]
        token = found.get("csrf_token", [""])[0]
        if all(name.lower() != _TOKEN for name, _ in scope["headers"]):
            scope["headers"] = [*scope["headers"], (_TOKEN, token.encode("latin-1", "replace"))]
        await self._app(scope, _again(body, receive), send)


class Form:
    """What was posted: `one` for a field, `many` for check boxes. Blanks around are taken off."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def one(self, name: str) -> str:
        """Browsers end the lines of a text with CR LF (HTML, 4.10.11.4); here LF does."""
        return self._fields.get(name, [""])[-1].strip().replace("\r\n", "\n")

    def words(self, name: str, chars_max: int) -> str:
        """A text that may not be missing. Raises Invalid."""
        text = self.one(name)
        if not text:
            raise Invalid.field(name, "required", "This may not be empty.")
        if len(text) > chars_max:
            raise Invalid.field(name, "too_long", f"At most {chars_max} characters.")
        return text

    def secret(self, name: str) -> str:
        """As typed: a password may begin or end with a blank."""
        return self._fields.get(name, [""])[-1]

    def digits(self, name: str) -> str:
        """A code, which people type in groups as their authenticator shows it."""
        return "".join(self.one(name).split())

    def decimal(self, name: str) -> str:
        """A number as people type it, as a decimal of the wire. Raises Invalid for one that can be
        read in two ways; what is no number at all is left to those who know what it is for.
        """
        text = self.one(name)
        try:
            return wire_decimal(text)
        except NotADecimal as wrong:
            if wrong.code not in {"ambiguous_number", "grouped_number"}:
                return text
            message = f"{wrong.detail} {wrong.hint}"
            raise Invalid.field(name, wrong.code, message, wrong.hint) from None

    def instant(self, name: str, offset: str = "offset_min") -> datetime:
        """The typed local time, in UTC. The field `offset` is the browser's zone then (UTC minus
        local), 0 without scripts, or GAP. Raises Invalid.
        """
        if self.one(offset) == GAP:
            message = "This time does not exist: the clocks go forward then. Choose a later one."
            raise Invalid.field(name, "no_such_time", message)
        try:
            ahead = timedelta(minutes=int(self.one(offset) or "0"))
            moment = datetime.fromisoformat(self.one(name)).replace(tzinfo=UTC) + ahead
        except (ValueError, OverflowError):
            raise Invalid.field(name, "malformed", "Choose a day and a time.") from None
        if not YEARS[0] <= moment.year <= YEARS[1] or abs(ahead) > OFFSET_MAX:
            message = f"Choose a day between {YEARS[0]} and {YEARS[1]}."
            raise Invalid.field(name, "out_of_range", message)
        return moment

    def day(self, name: str) -> date | None:
        """A typed day; None for a field left empty. Raises Invalid."""
        if not self.one(name):
            return None
        try:
            day = date.fromisoformat(self.one(name))
        except ValueError:
            raise Invalid.field(name, "malformed", "Choose a day.") from None
        if not YEARS[0] <= day.year <= YEARS[1]:
            message = f"Choose a day between {YEARS[0]} and {YEARS[1]}."
            raise Invalid.field(name, "out_of_range", message)
        return day

    def names(self) -> list[str]:
        return list(self._fields)

    def many(self, name: str) -> list[str]:
        return self._fields.get(name, [])

    def typed(self, *lists: str) -> dict[str, str | list[str]]:
        """For showing the form again; `lists` are the fields with several values."""
        shown: dict[str, str | list[str]] = {name: self.one(name) for name in self._fields}
        return shown | {name: self.many(name) for name in lists}


def typed_time(when: datetime) -> str:
    """As a field for a local time takes it; a script moves it to the reader's zone."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


async def read_form(request: AnyRequest) -> Form:
    """Raises TooLarge."""
    body = await request.body()
    if len(body) > FORM_BYTES_MAX:
        raise TooLarge("form_too_large", "This form is too large.")
    text = body.decode("utf-8", "replace")
    return Form(parse_qs(text, keep_blank_values=True, max_num_fields=FIELDS_MAX))


def posted_fields(scope: Scope) -> list[tuple[str, str]] | None:
    """Every field of the form that this request posts, without the token; None for another one."""
    body = scope.get(POSTED)
    if not isinstance(body, bytes) or len(body) > FORM_BYTES_MAX:
        return None
    text = body.decode("utf-8", "replace")
    fields = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    return [(name, value) for name, value in fields if name != "csrf_token"]


def _is_form(scope: Scope) -> bool:
    return any(
        name.lower() == b"content-type" and value.lower().startswith(_FORM)
        for name, value in scope["headers"]
    )


async def _read(receive: Receive) -> bytes:
    """The whole body, cut off beyond the limit; reading on is refused by `read_form`."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if not message.get("more_body", False) or len(body) > FORM_BYTES_MAX:
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once more, then what follows it."""
    given = False

    async def receive_again() -> HTTPReceiveMessage:
        nonlocal given
        if given:
            return cast(HTTPReceiveMessage, await receive())
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
