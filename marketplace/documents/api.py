"""A document in a request's body and in an answer, for the controllers of every subject."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import Request
from litestar.response import Stream

from marketplace.documents.rules import BYTES_MAX
from marketplace.documents.schemas import DocumentView
from marketplace.documents.service import Upload, content
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import Database

BODY_BYTES_MAX = BYTES_MAX + 1
"""One byte too many gets the service's answer, which names the limit."""


def read_upload(request: Request[Any, Any, Any], name: str) -> Upload:
    """The request's body is the file, its Content-Type the file's type."""
    return Upload(name, request.headers.get("content-type", ""), request.stream())


def send_document(database: Database, actor: Actor, found: DocumentView) -> Stream:
    """The file itself, always as a download; `ETag` is its SHA-256."""
    return Stream(
        content(database, actor, found.id),
        media_type=found.media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name)}",
            "Content-Length": str(found.size_bytes),
            "ETag": f'"{found.sha256}"',
        },
    )
