"""Which files are accepted: known types whose first bytes are what they claim to be."""

from __future__ import annotations

from marketplace.kernel.errors import Invalid

BYTES_MAX = 20 * 1024 * 1024
"""A scanned manual or a detailed drawing; larger archives are split."""

CHUNK_BYTES = 256 * 1024
"""What is held in memory of a file at a time; as much as one row of `document_chunks` takes."""

NAME_CHARS_MAX = 200

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_STARTS: dict[str, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/webp": (b"RIFF",),
    "image/vnd.dwg": (b"AC10",),
    "application/zip": (_ZIP,),
    f"{_OFFICE}.wordprocessingml.document": (_ZIP,),
    f"{_OFFICE}.spreadsheetml.sheet": (_ZIP,),
    f"{_OFFICE}.presentationml.presentation": (_ZIP,),
    "application/vnd.oasis.opendocument.text": (_ZIP,),
    "application/vnd.oasis.opendocument.spreadsheet": (_ZIP,),
    "application/msword": (_OLE,),
    "application/vnd.ms-excel": (_OLE,),
    "text/plain": (),
    "text/csv": (),
}


def check_name(name: str) -> str:
    """A plain file name. Raises Invalid."""
    bad = not 1 <= len(name) <= NAME_CHARS_MAX or name.strip() != name
    if bad or any(ord(sign) < 32 or sign in '/\\"<>|:*?' for sign in name) or name in {".", ".."}:
        raise Invalid.field("name", "bad_name", "A file name of 1 to 200 signs without a path.")
    return name


def check_type(media_type: str) -> str:
    """The type without its parameters. Raises Invalid unless it is one of the allowed kinds."""
    plain = media_type.partition(";")[0].strip().lower()
    if plain not in _STARTS:
        known = ", ".join(sorted(_STARTS))
        message = f"Files of the type {plain or 'unknown'} are not accepted."
        raise Invalid.field("content_type", "unsupported_type", message, f"Known: {known}.")
    return plain


def check_start(media_type: str, start: bytes) -> None:
    """Raises Invalid when the first bytes belong to another type."""
    starts = _STARTS[media_type]
    fits = any(start.startswith(known) for known in starts) if starts else b"\x00" not in start
    if not fits:
        message = f"The content is no {media_type}."
        raise Invalid.field("content", "wrong_content", message)
