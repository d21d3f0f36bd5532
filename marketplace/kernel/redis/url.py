"""The one parser of the Redis URL: a single server, Sentinel or Cluster. What is not supported is
refused by name, before anything is contacted.
"""

from __future__ import annotations

import ssl
from typing import Literal
from urllib.parse import SplitResult, unquote

import msgspec

from marketplace.kernel import server_urls
from marketplace.kernel.server_urls import Host, UrlError

VARIABLE = "MARKETPLACE_REDIS_URL"
DEFAULT_MASTER = "mymaster"
"""What Sentinel's own example configuration calls it."""

_DEFAULT_PORTS = {"single": 6379, "sentinel": 26379, "cluster": 6379}
_DATABASES_MAX = 1_000_000
"""No server is configured with more; a longer number is a typing error."""

Kind = Literal["single", "sentinel", "cluster"]
_SCHEMES: dict[str, tuple[Kind, bool]] = {
    "redis": ("single", False),
    "rediss": ("single", True),
    "unix": ("single", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}
_TLS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname")
_SENTINEL = ("sentinel_username", "sentinel_password")
_CHOICES = {"ssl_cert_reqs": ("required", "none"), "ssl_check_hostname": ("true", "false")}


class RedisUrlError(ValueError):
    """One line that names the variable and what is wrong; it never quotes a password."""


class Credentials(msgspec.Struct, frozen=True):
    """Without a user the password is the default user's."""

    username: str | None = None
    password: str | None = None


class RedisUrl(msgspec.Struct, frozen=True, kw_only=True):
    """`hosts` are the server, the Sentinels, or some nodes of the cluster; with `path`, a socket,
    there are none. `tls` holds redis-py's `ssl_*` options, or is None without TLS.
    """

    kind: Kind
    hosts: tuple[Host, ...] = ()
    path: str = ""
    database: int = 0
    master: str = ""
    servers: Credentials
    sentinels: Credentials
    tls: dict[str, str | bool] | None = None


def parse(text: str) -> RedisUrl:
    """Raises RedisUrlError with one line."""
    try:
        return _parse(text)
    except UrlError as error:
        raise RedisUrlError(f"{VARIABLE}: {error}") from None


def _parse(text: str) -> RedisUrl:
    scheme = text.partition("://")[0]
    if "://" not in text or scheme not in _SCHEMES:
        raise UrlError(f"it must begin with one of {', '.join(f'{s}://' for s in _SCHEMES)}")
    kind, is_tls = _SCHEMES[scheme]
    parts = server_urls.split(text)
    parameters = server_urls.parameters(parts.query)
    _refuse_unknown(parameters, kind, is_tls=is_tls)
    login, _, place = parts.netloc.rpartition("@")
    hosts: tuple[Host, ...] = ()
    path = master = database = ""
    if scheme == "unix":
        path = _socket_path(parts, place)
    else:
        hosts = server_urls.hosts(place or "localhost", _DEFAULT_PORTS[kind])
        master, database = _of_path(parts, kind)
    if kind == "single" and len(hosts) > 1:
        raise UrlError("several hosts need redis+sentinel:// or redis+cluster://")
    if database and "db" in parameters:
        raise UrlError("give the database number in the path or as db, not both")
    url = RedisUrl(
        kind=kind,
        hosts=hosts,
        path=path,
        master=master,
        database=_number(database or parameters.get("db", "0")),
        servers=_login(login),
        sentinels=Credentials(*(parameters.get(name) for name in _SENTINEL)),
        tls=_tls(parameters) if is_tls else None,
    )
    if kind == "cluster" and url.database:
        raise UrlError("a cluster has no database but 0")
    return url


def _refuse_unknown(parameters: dict[str, str], kind: Kind, *, is_tls: bool) -> None:
    allowed = ("db", *(_SENTINEL if kind == "sentinel" else ()), *(_TLS if is_tls else ()))
    for name, value in parameters.items():
        if name in _TLS and not is_tls:
            raise UrlError(f"the parameter {name} needs a scheme that begins with rediss")
        if name not in allowed:
            raise UrlError(f"the parameter {name[:40]} is not supported, remove it")
        choices = _CHOICES.get(name)
        if choices is not None and value not in choices:
            raise UrlError(f"{name} must be one of {', '.join(choices)}")


def _socket_path(parts: SplitResult, place: str) -> str:
    if place or not parts.path.startswith("/"):
        raise UrlError("a socket is an absolute path: unix:///run/redis.sock")
    return unquote(parts.path)


def _of_path(parts: SplitResult, kind: Kind) -> tuple[str, str]:
    """The master's name and the database number, as far as they are there."""
    pieces = [unquote(piece) for piece in parts.path.split("/") if piece]
    master = (pieces.pop(0) if pieces else DEFAULT_MASTER) if kind == "sentinel" else ""
    database = pieces.pop(0) if pieces else ""
    if pieces:
        raise UrlError("its path has too many parts")
    return master, database


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:10]) > _DATABASES_MAX:
        raise UrlError("a database of Redis is a number from 0")
    return int(text)


def _login(text: str) -> Credentials:
    username, _, password = text.partition(":")
    return Credentials(unquote(username) or None, unquote(password) or None)


def _tls(parameters: dict[str, str]) -> dict[str, str | bool]:
    options: dict[str, str | bool] = {n: v for n, v in parameters.items() if n in _TLS}
    if "ssl_check_hostname" in options:
        options["ssl_check_hostname"] = options["ssl_check_hostname"] == "true"
    _check_files(parameters)
    return options


def _check_files(parameters: dict[str, str]) -> None:
    """They are read for each connection; a wrong path is known now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if "ssl_ca_certs" in parameters:
            context.load_verify_locations(cafile=parameters["ssl_ca_certs"])
        if "ssl_certfile" in parameters:
            context.load_cert_chain(parameters["ssl_certfile"], parameters.get("ssl_keyfile"))
    except OSError as error:
        reason = " ".join((error.strerror or type(error).__name__).split())
        raise UrlError(f"its certificate files cannot be used: {reason}") from None
