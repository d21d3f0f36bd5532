"""Plain calls of the HTTP API for programs: JSON in, JSON out, problems as exceptions.

    rest = RestClient("https://market.example", "prefix.secret")
    tender = await rest.post("/api/v1/tenders", {"title": "Pumps", ...})

It needs the standard library and `msgspec` only; each call opens its own connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import msgspec

TIMEOUT_S = 30.0


class ApiProblem(Exception):
    """An answer that is no success (RFC 9457): `code` is stable, `errors` names wrong fields."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", status))
        self.detail = str(problem.get("detail", ""))
        self.errors = list(problem.get("errors", []))
        super().__init__(f"{status} {self.code}: {self.detail} {self.errors or ''}".strip())


class RestClient:
    """`api_key` may be left out for the calls that need none, such as registering."""

    def __init__(self, base_url: str, api_key: str | None = None) -> None:
        self._parts = urlsplit(base_url)
        self._headers = {"Accept": "application/json"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"

    async def get(self, path: str) -> Any:
        """Raises ApiProblem, OSError."""
        return await self.call("GET", path)

    async def post(self, path: str, body: object = None, **headers: str) -> Any:
        """Underscores in header names become dashes: `Idempotency_Key="…"`. Raises ApiProblem,
        OSError.
        """
        return await self.call("POST", path, {} if body is None else body, headers)

    async def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The decoded answer, None for an empty one. Raises ApiProblem, OSError."""
        named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        return await asyncio.to_thread(self._call, method, path, body, named)

    def _call(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> Any:
        sent = None if body is None else msgspec.json.encode(body)
        known = {**self._headers, **headers}
        if sent is not None:
            known["Content-Type"] = "application/json"
        connection = self._connection()
        try:
            connection.request(method, self._parts.path.rstrip("/") + path, sent, known)
            answer = connection.getresponse()
            raw = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise ApiProblem(answer.status, _object(raw))
        return msgspec.json.decode(raw) if raw else None

    def _connection(self) -> HTTPConnection:
        host = self._parts.hostname or "127.0.0.1"
        if self._parts.scheme == "https":
            trust = ssl.create_default_context()
            return HTTPSConnection(host, self._parts.port, timeout=TIMEOUT_S, context=trust)
        return HTTPConnection(host, self._parts.port, timeout=TIMEOUT_S)


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.MsgspecError:
        # A proxy in between answers in its own words.
        return {"detail": raw[:200].decode("utf-8", "replace")}
