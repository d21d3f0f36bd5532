"""The public API for commands: blocking calls, files as a stream, problems as one line."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import msgspec

from web.console import CommandFailed

TIMEOUT_S = 60.0


class ApiClient:
    """One caller with an API key. Every answer that is no success raises CommandFailed."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise CommandFailed("The address begins with http:// or https://.")
        self._https = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer of one call."""
        data = None if body is None else msgspec.json.encode(body)
        headers = {} if data is None else {"Content-Type": "application/json"}
        return msgspec.json.decode(self._read(method, path, data, headers))

    def put_file(self, path: str, pieces: Iterator[bytes], size: int) -> Any:
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        return msgspec.json.decode(self._read("PUT", path, pieces, headers))

    def raw(self, path: str) -> bytes:
        return self._read("GET", path, None, {})

    def lines(self, path: str, limit: int) -> list[Any]:
        """The first JSON lines of an answer."""
        found = islice(self.raw(path).splitlines(), limit)
        return [msgspec.json.decode(line) for line in found]

    def _read(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None, headers: dict[str, str]
    ) -> bytes:
        kind = HTTPSConnection if self._https else HTTPConnection
        connection = kind(self._host, self._port, timeout=TIMEOUT_S)
        try:
            connection.request(method, self._prefix + path, body, self._headers | headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as lost:
            raise CommandFailed(f"No answer from {self._host}: {lost}") from lost
        finally:
            connection.close()
        if answer.status >= 300:
            raise CommandFailed(_problem(answer, content))
        return content


def _problem(answer: HTTPResponse, content: bytes) -> str:
    try:
        told = msgspec.json.decode(content)
        return f"{told['code']}: {told['detail']}"
    except (msgspec.MsgspecError, KeyError, TypeError):
        return f"The marketplace answered {answer.status} {answer.reason}."
