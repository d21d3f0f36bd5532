"""Requests whose JSON body has one meaning."""

from __future__ import annotations

from typing import Any

from litestar import Request

from marketplace.kernel.errors import FieldError, Malformed
from marketplace.kernel.strict_json import DEPTH_MAX, is_too_deep, repeated_key

_KEY_SHOWN_CHARS = 100


class StrictRequest(Request[Any, Any, Any]):
    """Litestar reads the body of every call with typed `data` through `json`."""

    async def json(self) -> Any:
        """Raises Malformed (`json_too_deep`, `repeated_key`)."""
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
        return await super().json()
