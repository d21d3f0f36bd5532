"""What the URLs of PostgreSQL and Redis have in common: characters, hosts and ports."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec

HOSTS_MAX = 16
"""A primary and its standbys, or the seeds of a cluster; more would not be tried within one
connect timeout anyway.
"""

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[^:]*))?",
)


class UrlError(ValueError):
    """What is wrong with a URL, as the end of a sentence; it never quotes a password."""


class Host(msgspec.Struct, frozen=True):
    """A name, an address, or the absolute folder of a socket."""

    name: str
    port: int


def split(text: str) -> SplitResult:
    """Raises UrlError for characters that two parsers may read differently."""
    if any(not character.isprintable() or character == " " for character in text):
        raise UrlError("spaces and control characters must be percent-encoded")
    if "#" in text:
        raise UrlError("write a # as %23")
    if _BAD_ESCAPE.search(text):
        raise UrlError("write a % as %25")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise UrlError("its host cannot be read; is an IPv6 address in brackets?") from None
    if "@" in parts.netloc.rpartition("@")[0]:
        raise UrlError("write an @ in the user or the password as %40")
    return parts


def parameters(query: str) -> dict[str, str]:
    """What follows the `?`. Raises UrlError for one that stands twice or has no value."""
    if "+" in query:
        # libpq reads a plus, others a space.
        raise UrlError("write a + after the ? as %2B")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise UrlError("what follows the ? must be name=value, joined by &") from None
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise UrlError(f"the parameter {name[:40]} stands twice")
        if not value:
            raise UrlError(f"the parameter {name[:40]} has no value")
        values[name] = value
    return values


def hosts(place: str, default_port: int) -> tuple[Host, ...]:
    """`host`, `host:port` or several of them with commas between. Raises UrlError."""
    found = tuple(_host(item, default_port) for item in place.split(","))
    if len(found) > HOSTS_MAX:
        raise UrlError(f"it names more than {HOSTS_MAX} hosts")
    return found


def _host(item: str, default_port: int) -> Host:
    match = _HOST.fullmatch(item)
    if match is None:
        raise UrlError("a host is a name or an address, IPv6 in brackets: [::1]:5432")
    port = match["port"]
    return Host(
        match["v6"] or host_name(unquote(match["name"])),
        default_port if port is None else port_number(port),
    )


def host_name(text: str) -> str:
    if not text:
        raise UrlError("one of its hosts is empty")
    return text


def port_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 65_535:
        raise UrlError("a port is a number from 1 to 65535")
    return int(text)
