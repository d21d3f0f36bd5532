"""Requests whose JSON body has one meaning, and no time outside the calendar."""

from __future__ import annotations

from itertools import islice
from typing import Any

from litestar import Request

from marketplace.kernel.errors import FieldError, Invalid, Malformed
from marketplace.kernel.strict_json import DEPTH_MAX, is_too_deep, repeated_key
from marketplace.kernel.times import time_errors

_KEY_SHOWN_CHARS = 100
_ERRORS_MAX = 100


class StrictRequest(Request[Any, Any, Any]):
    """Litestar reads the body of every call with typed `data` through `json`."""

    async def json(self) -> Any:
        """Raises Malformed (`json_too_deep`, `repeated_key`), and Invalid for times."""
        body = await self.body()
        if is_too_deep(body):
            raise Malformed("json_too_deep", f"JSON is nested at most {DEPTH_MAX} deep here.")
        if (key := repeated_key(body)) is not None:
            error = FieldError(
                key[:_KEY_SHOWN_CHARS],
                "repeated_key",
                "This key stands twice in one object.",
                "Send each key once.",
            )
            raise Malformed("repeated_key", "A key stands twice in one object.", errors=[error])
        content = await super().json()
        if b'_at"' in body and (errors := list(islice(time_errors(content), _ERRORS_MAX))):
            raise Invalid(errors[0].code, errors[0].message, errors=errors)
        return content
