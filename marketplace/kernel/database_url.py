"""The one parser of the database URL, and the one way to connect with it: migrations, SQLAlchemy
and the driver's own pools all go through `DatabaseUrl.connect`, so none of them can read a URL
differently from the others.

The form is libpq's (PostgreSQL manual, 34.1.1.2). What this program or its driver would ignore or
pass on as a server setting is refused by name, before anything is contacted.
"""

from __future__ import annotations

import re
import ssl
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg
import msgspec

VARIABLE = "MARKETPLACE_DATABASE_URL"
HOSTS_MAX = 16
"""A primary and its standbys; more would not be tried within one connect timeout anyway."""

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
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class DatabaseUrlError(ValueError):
    """One line that names the variable and what is wrong; it never quotes a password."""


class Host(msgspec.Struct, frozen=True):
    """A name, an address, or the absolute folder of a socket."""

    name: str
    port: int = 5432


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

        The time is shared out among the hosts: one that is frozen must not use up what the next
        one needs. Raises OSError or what the driver raises. The signature is that of
        `asyncpg.connect`, as pools call it.
        """
        if not self.hosts:
            return await self._connect_to({}, timeout, options)
        away: list[Exception] = []
        refused: list[Exception] = []
        for host in self.hosts:
            place = {"host": host.name, "port": host.port}
            try:
                return await self._connect_to(place, timeout / len(self.hosts), options)
            except asyncpg.TargetServerAttributeNotMatched:
                refused.append(NotWritableError(f"{host.name} does not accept writes"))
            except (OSError, asyncpg.CannotConnectNowError) as error:
                away.append(error)
            except asyncpg.PostgresError as error:
                refused.append(error)
        # What a server that answers has to say is worth more than that another one is away.
        raise (refused or away)[0]

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


def parse(text: str) -> DatabaseUrl:
    """Raises DatabaseUrlError with one line."""
    parts = _split(text)
    user_part, _, place = parts.netloc.rpartition("@")
    if "@" in user_part:
        raise _wrong("write an @ in the user or the password as %40")
    parameters = _parameters(parts.query)
    hosts = _hosts(place, parameters)
    path, name = unquote(parts.path[1:]), parameters.get("dbname", "")
    if path and name:
        raise _wrong("give the database as the path or as dbname, not both")
    if not path and not name:
        raise _wrong("it names no database: postgresql://user@host:5432/DATABASE")
    _check_certificates(parameters)
    default = "read-write" if len(hosts) > 1 else "any"
    return DatabaseUrl(text, hosts, path or name, parameters.get("target_session_attrs", default))


def _split(text: str) -> Any:
    if not text.startswith(("postgresql://", "postgres://")):
        raise _wrong("it must begin with postgresql:// or postgres://")
    if any(not character.isprintable() or character == " " for character in text):
        raise _wrong("spaces and control characters must be percent-encoded")
    if "#" in text:
        raise _wrong("write a # as %23")
    if _BAD_ESCAPE.search(text):
        raise _wrong("write a % as %25")
    try:
        return urlsplit(text)
    except ValueError:
        raise _wrong("its host cannot be read; is an IPv6 address in brackets?") from None


def _parameters(query: str) -> dict[str, str]:
    if "+" in query:
        # libpq reads a plus, the driver a space.
        raise _wrong("write a + after the ? as %2B")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise _wrong("what follows the ? must be name=value, joined by &") from None
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name not in _FREE and name not in _CHOICES:
            raise _wrong(f"the parameter {name[:40]} is not supported, remove it")
        if name in parameters:
            raise _wrong(f"the parameter {name} stands twice")
        if not value:
            raise _wrong(f"the parameter {name} has no value")
        choices = _CHOICES.get(name)
        if name == "target_session_attrs" and value not in _WRITABLE:
            raise _wrong(f"{name} must be one of {', '.join(_WRITABLE)}: bids are written")
        if choices is not None and value not in choices:
            raise _wrong(f"{name} must be one of {', '.join(choices)}")
        parameters[name] = value
    return parameters


def _hosts(place: str, parameters: dict[str, str]) -> tuple[Host, ...]:
    given = parameters.get("host")
    if place and (given or "port" in parameters):
        raise _wrong("give the host and port before the path or as parameters, not both")
    if not place and given is None:
        if "port" in parameters:
            raise _wrong("it has a port and no host")
        return ()
    if place:
        hosts = tuple(_host_and_port(item) for item in place.split(","))
    else:
        names = (given or "").split(",")
        ports = parameters.get("port", "5432").split(",")
        if len(ports) == 1:
            ports *= len(names)
        if len(ports) != len(names):
            raise _wrong("the parameter port lists one port, or one for each host")
        hosts = tuple(
            Host(_name(name), _port(port)) for name, port in zip(names, ports, strict=True)
        )
    if len(hosts) > HOSTS_MAX:
        raise _wrong(f"it names more than {HOSTS_MAX} hosts")
    return hosts


def _host_and_port(item: str) -> Host:
    match = re.fullmatch(
        r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[^:]*))?", item
    )
    if match is None:
        raise _wrong("a host is a name or an address, IPv6 in brackets: [::1]:5432")
    port = match["port"]
    return Host(match["v6"] or _name(unquote(match["name"])), 5432 if port is None else _port(port))


def _name(text: str) -> str:
    if not text:
        raise _wrong("one of its hosts is empty")
    return text


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 65_535:
        raise _wrong("a port is a number from 1 to 65535")
    return int(text)


def _check_certificates(parameters: dict[str, str]) -> None:
    """The driver reads these files anew for each connection; a wrong path is known now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in ("sslrootcert", "sslcrl"):
        if name in parameters:
            try:
                context.load_verify_locations(cafile=parameters[name])
            except OSError as error:
                raise _wrong(f"the file of {name} cannot be used: {_reason(error)}") from None
    if "sslcert" not in parameters:
        return
    try:
        context.load_cert_chain(
            parameters["sslcert"],
            keyfile=parameters.get("sslkey"),
            password=parameters.get("sslpassword", ""),
        )
    except OSError as error:
        raise _wrong(f"the files of sslcert and sslkey cannot be used: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    return " ".join((error.strerror or type(error).__name__).split())


def _wrong(reason: str) -> DatabaseUrlError:
    return DatabaseUrlError(f"{VARIABLE}: {reason}")
