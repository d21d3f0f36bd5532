"""Which network addresses count as one client; pure."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

CUSTOMER_BITS = 64
"""What one IPv6 connection gets at least: whoever has one address of a /64 has all of it."""
SITE_BITS = 48
"""What a site may get: 65,536 networks, each with a bucket of its own, would be too many tries."""
_TEXT_CHARS_MAX = 64


def network_of(address: str, bits: int = CUSTOMER_BITS) -> str:
    """The IPv4 address itself, the IPv6 network of `bits`; anything else as it is."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:_TEXT_CHARS_MAX]
    if not isinstance(ip, IPv6Address):
        return str(ip)
    # A socket that listens on `::` writes IPv4 clients like this, all in one /64.
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ip_network((ip, bits), strict=False))
