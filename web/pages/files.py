"""The built modules and styles: each name carries a hash of its content, so it is kept for ever."""

from __future__ import annotations

import gzip
import mimetypes
import re
from functools import lru_cache

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State

from marketplace.kernel.access import PUBLIC
from marketplace.kernel.errors import NotFound
from web.assets import DIST, URL_PREFIX

FILES_MAX = 200
COMPRESSED_FROM_BYTES = 1_024
FOR_EVER = "public, max-age=31536000, immutable"

# The machine's own table may lack these types, and a browser refuses a module of another one.
_KNOWN = {"js": "text/javascript", "woff2": "font/woff2"}
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}", re.ASCII)


class BuiltFile(msgspec.Struct, frozen=True):
    """`gzipped` is empty where compressing gains nothing."""

    media_type: str
    content: bytes
    gzipped: bytes


@get(URL_PREFIX + "{name:str}", opt=PUBLIC, sync_to_thread=True)
def built_file(name: str, request: Request[None, None, State]) -> Response[bytes]:
    """Raises NotFound."""
    if _NAME.fullmatch(name) is None:
        raise NotFound("file")
    file = _read(name)
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if file.gzipped and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.gzipped, media_type=file.media_type, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


@lru_cache(maxsize=FILES_MAX)
def _read(name: str) -> BuiltFile:
    try:
        content = (DIST / name).read_bytes()
    except OSError:
        raise NotFound("file") from None
    guessed = _KNOWN.get(name.rpartition(".")[2]) or mimetypes.guess_type(name)[0]
    gzipped = gzip.compress(content, 9) if len(content) >= COMPRESSED_FROM_BYTES else b""
    smaller = gzipped if len(gzipped) < len(content) else b""
    return BuiltFile(guessed or "application/octet-stream", content, smaller)
