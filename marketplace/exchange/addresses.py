"""Where a webhook may go: an address of the public internet, resolved once and then connected to.

A customer chooses the URL, so it must not become a way into our own network. The name is resolved
here, every answer is looked at, and the connection is made to the very address that was looked at:
a name that answers differently a moment later changes nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import SplitResult, urlsplit

import msgspec

URL_CHARS_MAX = 2_000
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# What `is_global` of the supported Python versions still calls global (IANA special-purpose
# registries): protocol assignments, the 6to4 relay, documentation, ORCHID, AS112.
_NOT_PUBLIC_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in ("192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
                 "192.175.48.0/24")
)  # fmt: skip
_NOT_PUBLIC_6 = tuple(
    ipaddress.IPv6Network(text) for text in ("2001::/23", "2620:4f:8000::/48", "3fff::/20")
)
# Interface identifiers of ISATAP (RFC 5214) carry an IPv4 address under any prefix.
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""`await resolve(host, port)`: its addresses as texts. Raises OSError."""


class NotAllowed(Exception):
    """The URL, or where it leads; the text says which way and names no address."""


class Target(msgspec.Struct, frozen=True):
    """A URL taken apart, ready to connect to. `authority` is the Host header's value."""

    secure: bool
    host: str
    port: int
    authority: str
    path: str


def read_url(url: str, *, private: bool) -> Target:
    """`https://host[:port]/path?query`; plain http only where private addresses are allowed.
    Raises NotAllowed.
    """
    if len(url) > URL_CHARS_MAX or not url.isascii() or any(sign <= " " for sign in url):
        raise NotAllowed("A URL is at most 2000 visible ASCII characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotAllowed("This is no URL.") from None
    if parts.scheme not in ({"https", "http"} if private else {"https"}):
        raise NotAllowed("An endpoint is an https URL.")
    if not parts.hostname or parts.username is not None or parts.fragment:
        raise NotAllowed("A URL has a host, and neither a user nor a fragment.")
    secure = parts.scheme == "https"
    target = _target(parts, parts.hostname, port or (443 if secure else 80), secure)
    literal = _literal(target.host)
    if literal is not None and not private and not is_public(literal):
        raise NotAllowed("The address is not one of the public internet.")
    return target


def _target(parts: SplitResult, host: str, port: int, secure: bool) -> Target:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, host, port, parts.netloc, path)


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def is_public(address: str) -> bool:
    """Whether it may be connected to: global unicast, also inside IPv6 that carries IPv4."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        special = any(found in network for network in _NOT_PUBLIC_4)
        return found.is_global and not (found.is_multicast or found.is_reserved or special)
    if (inner := _carried(found)) is not None:
        return is_public(str(inner))
    special = any(found in network for network in _NOT_PUBLIC_6)
    return found in _GLOBAL_UNICAST and found.is_global and not special


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a translator or tunnel on the way would connect to."""
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and (address in _NAT64 or (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return inner


async def resolve(host: str, port: int) -> list[str]:
    """By the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


async def address_of(target: Target, resolver: Resolve, *, private: bool) -> str:
    """The one address to connect to. One private answer spoils them all. Raises NotAllowed,
    OSError.
    """
    found = await resolver(target.host, target.port)
    if not found:
        raise OSError("the name has no address")
    if not private and not all(is_public(address) for address in found):
        raise NotAllowed("The name leads to an address that is not of the public internet.")
    return found[0]
