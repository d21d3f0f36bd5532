"""What a browser calls itself, in the words its owner has for it; pure."""

from __future__ import annotations

AGENT_CHARS_MAX = 1_000

# The first that is found counts: every browser also claims to be those below it.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_name(agent: str) -> str:
    """`Firefox, Windows` from a User-Agent header; empty where it names neither."""
    told = agent[:AGENT_CHARS_MAX]
    return ", ".join(filter(None, (_first(told, _BROWSERS), _first(told, _SYSTEMS))))


def _first(told: str, known: tuple[tuple[str, str], ...]) -> str:
    return next((name for sign, name in known if sign in told), "")
