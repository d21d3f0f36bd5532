"""Problems a caller can cause or must be told of, each with a stable code (RFC 9457).

Services and rules raise these; only the edge (`web/problems.py`, `auctions/live`) knows how they
look on the wire.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One wrong field.

    field    its path in the body, or the name of a parameter, e.g. `lots[0].rules.step.value`
    code     stable name of what is wrong with it, e.g. `out_of_range`
    message  what is allowed, e.g. `Between 1 and 20.`
    hint     what to do instead; null: the message says all, e.g. `Write 1234.50, not 1.234,50.`
    """

    field: str
    code: str
    message: str
    hint: str | None = None


class Problem(Exception):
    """Base of every answer that is not a success; subclasses fix the HTTP status."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: tuple[FieldError, ...] | list[FieldError] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s


class Malformed(Problem):
    """The request cannot be read at all."""

    status, title = 400, "Malformed request"


class Unauthenticated(Problem):
    status, title = 401, "Not authenticated"

    def __init__(self, code: str = "not_authenticated", detail: str = "Log in first.") -> None:
        super().__init__(code, detail)


class Forbidden(Problem):
    """The caller's own organisation owns it, but the caller's roles or scopes do not suffice."""

    status, title = 403, "Not allowed"


class NotFound(Problem):
    """Missing, or it belongs to somebody else; the two are never told apart."""

    status, title = 404, "Not found"

    def __init__(self, what: object = "object") -> None:
        super().__init__("not_found", f"There is no such {what} here.")


class Conflict(Problem):
    """Right content, wrong state."""

    status, title = 409, "Wrong state"


class Gone(Problem):
    status, title = 410, "No longer available"


class PreconditionFailed(Problem):
    """The caller's `If-Match` names an older content."""

    status, title = 412, "Changed meanwhile"

    def __init__(self) -> None:
        super().__init__(
            "stale", "It was changed since you read it. Read it again and repeat your change."
        )


class TooLarge(Problem):
    status, title = 413, "Too large"


class Invalid(Problem):
    """The content breaks a rule; `errors` names each field."""

    status, title = 422, "Invalid content"

    @classmethod
    def field(cls, field: str, code: str, message: str, hint: str | None = None) -> Invalid:
        """The common case: exactly one field is wrong."""
        return cls(code, message, errors=[FieldError(field, code, message, hint)])


class TooFast(Problem):
    status, title = 429, "Too many requests"

    def __init__(self, detail: str = "Slow down.", *, retry_after_s: int = 1) -> None:
        super().__init__("too_fast", detail, retry_after_s=retry_after_s)


class Unavailable(Problem):
    """A server behind us is down or overloaded; nothing was lost, the same call may be repeated."""

    status, title = 503, "Temporarily unavailable"

    def __init__(
        self, code: str = "unavailable", detail: str = "Try again.", *, retry_after_s: int = 1
    ) -> None:
        super().__init__(code, detail, retry_after_s=retry_after_s)
