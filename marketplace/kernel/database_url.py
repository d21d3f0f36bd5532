"""The one parser of the database URL, and the one way to connect with it: migrations, SQLAlchemy
and the driver's own pools all go through `DatabaseUrl.connect`, so none of them can read a URL
differently from the others.

The form is libpq's (PostgreSQL manual, 34.1.1.2). What this program or its driver would ignore or
pass on as a server setting is refused by name, before anything is contacted.
"""

from __future__ import annotations

import ssl
from asyncio.staggered import staggered_race
from functools import partial
from typing import Any
from urllib.parse import unquote

import asyncpg
import msgspec

from marketplace.kernel import server_urls
from marketplace.kernel.server_urls import HOSTS_MAX, Host, UrlError

VARIABLE = "MARKETPLACE_DATABASE_URL"
_DEFAULT_PORT = 5432
HEAD_START_S = 0.25
"""One that is frozen holds up each new connection by no more than this."""
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_WRITABLE = ("any", "primary", "read-write")
_TLS_VERSIONS = ("TLSv1.2", "TLSv1.3")
_CHOICES = {
    "sslmode": _SSL_MODES,
    "target_session_attrs": _WRITABLE,
    "sslnegotiation": ("postgres", "direct"),
    "ssl_min_protocol_version": _TLS_VERSIONS,
    "ssl_max_protocol_version": _TLS_VERSIONS,
}
_CERTIFICATES = ("sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword")
_FREE = frozenset(
    ("host", "port", "user", "password", "dbname", "passfile", "options", *_CERTIFICATES)
)


class DatabaseUrlError(ValueError):
    """One line that names the variable and what is wrong; it never quotes a password."""


class DatabaseUrl(msgspec.Struct, frozen=True):
    """`text` is what was given; `hosts` may be empty, then the driver looks where libpq does."""

    text: str
    hosts: tuple[Host, ...]
    database: str
    target: str

    async def connect(
        self,
        *_: object,
        timeout: float = 60.0,  # noqa: ASYNC109  # the driver's own, which pools pass on
        **options: Any,
    ) -> Any:
        """A driver connection to the first host that answers and may be written to.

        Each host has a head start before the next one is asked too, and its share of the time, so
        that a frozen one holds up nobody. Raises OSError or what the driver raises. The signature
        is that of `asyncpg.connect`, as pools call it.
        """
        if not self.hosts:
            return await self._connect_to({}, timeout, options)
        share_s = timeout / len(self.hosts)
        tries = [partial(self._connect_host, host, share_s, options) for host in self.hosts]
        head_start_s = min(HEAD_START_S, share_s) if self.is_of_one_server else None
        connection, winner, errors = await staggered_race(tries, head_start_s)
        if winner is not None:
            return connection
        failures = [error for error in errors if error is not None]
        # What a server that answers has to say is worth more than that another one is away.
        raise next(filter(_is_refusal, failures), failures[0])

    @property
    def is_of_one_server(self) -> bool:
        """Whether no more than one of the hosts can be meant at a time."""
        return len(self.hosts) < 2 or self.target != "any"

    async def _connect_host(self, host: Host, timeout_s: float, options: dict[str, Any]) -> Any:
        place = {"host": host.name, "port": host.port}
        try:
            return await self._connect_to(place, timeout_s, options)
        except asyncpg.TargetServerAttributeNotMatched:
            raise NotWritableError(f"{host.name} does not accept writes") from None

    async def _connect_to(
        self, place: dict[str, Any], timeout_s: float, options: dict[str, Any]
    ) -> Any:
        return await asyncpg.connect(
            self.text,
            timeout=timeout_s,
            # Behind a path of "/" the driver would not see dbname.
            database=self.database,
            target_session_attrs=self.target,
            **place,
            **options,
        )


class NotWritableError(ConnectionError):
    """A server answers, but it is a standby or read-only, and the URL asks for a writable one."""

    reason = "it is read-only, and no other host takes writes"


def _is_refusal(error: Exception) -> bool:
    is_away = isinstance(error, asyncpg.CannotConnectNowError)
    return isinstance(error, NotWritableError | asyncpg.PostgresError) and not is_away


def parse(text: str) -> DatabaseUrl:
    """Raises DatabaseUrlError with one line."""
    try:
        return _parse(text)
    except UrlError as error:
        raise DatabaseUrlError(f"{VARIABLE}: {error}") from None


def _parse(text: str) -> DatabaseUrl:
    if not text.startswith(("postgresql://", "postgres://")):
        raise UrlError("it must begin with postgresql:// or postgres://")
    parts = server_urls.split(text)
    place = parts.netloc.rpartition("@")[2]
    parameters = _parameters(parts.query)
    hosts = _hosts(place, parameters)
    path, name = unquote(parts.path[1:]), parameters.get("dbname", "")
    if path and name:
        raise UrlError("give the database as the path or as dbname, not both")
    if not path and not name:
        raise UrlError("it names no database: postgresql://user@host:5432/DATABASE")
    _check_certificates(parameters)
    default = "read-write" if len(hosts) > 1 else "any"
    return DatabaseUrl(text, hosts, path or name, parameters.get("target_session_attrs", default))


def _parameters(query: str) -> dict[str, str]:
    parameters = server_urls.parameters(query)
    for name, value in parameters.items():
        if name not in _FREE and name not in _CHOICES:
            raise UrlError(f"the parameter {name[:40]} is not supported, remove it")
        choices = _CHOICES.get(name)
        if name == "target_session_attrs" and value not in _WRITABLE:
            raise UrlError(f"{name} must be one of {', '.join(_WRITABLE)}: bids are written")
        if choices is not None and value not in choices:
            raise UrlError(f"{name} must be one of {', '.join(choices)}")
    return parameters


def _hosts(place: str, parameters: dict[str, str]) -> tuple[Host, ...]:
    given = parameters.get("host")
    if place and (given or "port" in parameters):
        raise UrlError("give the host and port before the path or as parameters, not both")
    if place:
        return server_urls.hosts(place, _DEFAULT_PORT)
    if given is None:
        if "port" in parameters:
            raise UrlError("it has a port and no host")
        return ()
    names = given.split(",")
    ports = parameters.get("port", str(_DEFAULT_PORT)).split(",")
    if len(ports) == 1:
        ports *= len(names)
    if len(ports) != len(names):
        raise UrlError("the parameter port lists one port, or one for each host")
    if len(names) > HOSTS_MAX:
        raise UrlError(f"it names more than {HOSTS_MAX} hosts")
    return tuple(
        Host(server_urls.host_name(name), server_urls.port_number(port))
        for name, port in zip(names, ports, strict=True)
    )


def _check_certificates(parameters: dict[str, str]) -> None:
    """The driver reads these files anew for each connection; a wrong path is known now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in ("sslrootcert", "sslcrl"):
        if name in parameters:
            try:
                context.load_verify_locations(cafile=parameters[name])
            except OSError as error:
                raise UrlError(f"the file of {name} cannot be used: {_reason(error)}") from None
    if "sslcert" not in parameters:
        return
    try:
        context.load_cert_chain(
            parameters["sslcert"],
            keyfile=parameters.get("sslkey"),
            password=parameters.get("sslpassword", ""),
        )
    except OSError as error:
        raise UrlError(
            f"the files of sslcert and sslkey cannot be used: {_reason(error)}"
        ) from None


def _reason(error: OSError) -> str:
    return " ".join((error.strerror or type(error).__name__).split())
