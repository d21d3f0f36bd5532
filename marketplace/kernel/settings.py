"""Settings of one process, read once at its start from `MARKETPLACE_*` variables and handed on
explicitly.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from marketplace.kernel import database_url as database_urls
from marketplace.kernel import secret_file
from marketplace.kernel.redis import url as redis_urls
from marketplace.kernel.sealing import secrets_of
from marketplace.kernel.secret import Secret

APP_ROLE = "marketplace_app"
"""The PostgreSQL role every connection but a migration acts as; it owns nothing, so row-level
security binds it.
"""


class SettingsError(Exception):
    """One line for the operator: which variable is wrong and what it should be."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`database_url` is what `kernel/database_url.py` takes, of a role that may become APP_ROLE;
    `redis_url` what `kernel/redis/url.py` takes.

    secret       master secret (a `Secret` during its rotation): signing keys and the keys of sealed
    offers are wrapped with keys derived from it
    public_url   the address people use; its origin is the only one whose browser may write or open
    a socket
    smtp_url     `smtp://…` or `smtps://…`; empty: mails stay in the operator's outbox
    metrics_token  what `/metrics` asks for as a bearer token; empty: the own machine may read it
    webhook_private  webhooks may go to private addresses and plain http (tests, closed networks)
    auctions_max     so many auctions a process follows at once
    trusted_proxies  addresses and networks whose `X-Forwarded-For` says who the client is
    """

    database_url: str
    redis_url: str
    secret: str
    public_url: str = "http://127.0.0.1:8000"
    data_dir: Path = Path("var")
    database_pool_size: int = 10
    auctions_max: int = 1_000
    log_format: str = "json"
    log_level: str = "info"
    secure_cookies: bool = False
    smtp_url: str = ""
    mail_from: str = "marketplace@localhost"
    webhook_private: bool = False
    metrics_token: str = ""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1/32", "::1/128")

    @property
    def origin(self) -> str:
        return self.public_url.rstrip("/")


def read_settings(
    environ: Mapping[str, str] | None = None,
    *,
    database_url: str | None = None,
    redis_url: str | None = None,
    data_dir: Path | None = None,
    public_url: str | None = None,
    default_public_url: str = "http://127.0.0.1:8000",
) -> Settings:
    """Arguments win over variables, but `default_public_url` does not. Raises SettingsError when
    one is missing or wrong.
    """
    env = os.environ if environ is None else environ
    data = data_dir or Path(env.get("MARKETPLACE_DATA_DIR", "var"))
    url = public_url or env.get("MARKETPLACE_PUBLIC_URL", default_public_url)
    if not url.startswith(("http://", "https://")):
        raise SettingsError("MARKETPLACE_PUBLIC_URL must begin with http:// or https://")
    log_format = env.get("MARKETPLACE_LOG_FORMAT", "json")
    if log_format not in {"json", "console"}:
        raise SettingsError("MARKETPLACE_LOG_FORMAT is json or console")
    log_level = env.get("MARKETPLACE_LOG_LEVEL", "info")
    if log_level not in {"info", "warning", "error"}:
        raise SettingsError("MARKETPLACE_LOG_LEVEL is info, warning or error")
    return Settings(
        database_url=_database_url(database_url or _required(env, "MARKETPLACE_DATABASE_URL")),
        redis_url=_redis_url(redis_url or _required(env, "MARKETPLACE_REDIS_URL")),
        secret=_secret(env, data),
        public_url=url,
        data_dir=data,
        database_pool_size=_number(env, "MARKETPLACE_DATABASE_POOL_SIZE", 10, 1, 200),
        auctions_max=_number(env, "MARKETPLACE_AUCTIONS_MAX", 1_000, 10, 100_000),
        log_format=log_format,
        log_level=log_level,
        secure_cookies=url.startswith("https://"),
        smtp_url=_smtp_url(env.get("MARKETPLACE_SMTP_URL", "")),
        mail_from=env.get("MARKETPLACE_MAIL_FROM", "marketplace@localhost"),
        webhook_private=env.get("MARKETPLACE_WEBHOOK_PRIVATE", "") == "1",
        metrics_token=env.get("MARKETPLACE_METRICS_TOKEN", ""),
        trusted_proxies=_networks(env.get("MARKETPLACE_TRUSTED_PROXIES", "127.0.0.1, ::1")),
    )


def environment(settings: Settings) -> dict[str, str]:
    """This process's environment with the settings in it, for a child that reads them there."""
    return os.environ | {
        "MARKETPLACE_DATABASE_URL": settings.database_url,
        "MARKETPLACE_REDIS_URL": settings.redis_url,
        "MARKETPLACE_SECRET": str(settings.secret),
        "MARKETPLACE_SECRET_OTHER": "".join(secrets_of(settings.secret)[1:2]),
        "MARKETPLACE_PUBLIC_URL": settings.public_url,
        "MARKETPLACE_DATA_DIR": str(settings.data_dir),
        "MARKETPLACE_DATABASE_POOL_SIZE": str(settings.database_pool_size),
        "MARKETPLACE_AUCTIONS_MAX": str(settings.auctions_max),
        "MARKETPLACE_LOG_FORMAT": settings.log_format,
        "MARKETPLACE_LOG_LEVEL": settings.log_level,
        "MARKETPLACE_TRUSTED_PROXIES": ",".join(settings.trusted_proxies),
    }


def external_urls(environ: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """Both server addresses when both are configured, None when neither is; SettingsError when
    only one is.
    """
    env = os.environ if environ is None else environ
    database, redis = env.get("MARKETPLACE_DATABASE_URL"), env.get("MARKETPLACE_REDIS_URL")
    if bool(database) != bool(redis):
        raise SettingsError(
            "Set both MARKETPLACE_DATABASE_URL and MARKETPLACE_REDIS_URL, or neither"
        )
    return (database, redis) if database and redis else None


def _database_url(text: str) -> str:
    try:
        return database_urls.parse(text).text
    except database_urls.DatabaseUrlError as error:
        raise SettingsError(str(error)) from None


def _redis_url(text: str) -> str:
    try:
        redis_urls.parse(text)
    except redis_urls.RedisUrlError as error:
        raise SettingsError(str(error)) from None
    return text


def _smtp_url(url: str) -> str:
    if url and not url.startswith(("smtp://", "smtps://")):
        raise SettingsError("MARKETPLACE_SMTP_URL must begin with smtp:// or smtps://")
    return url


def _networks(text: str) -> tuple[str, ...]:
    """`10.0.0.7, 10.1.0.0/16` in canonical form. There is no `*`: with it the oldest entry of
    `X-Forwarded-For` would count, which the client itself writes.
    """
    try:
        return tuple(
            str(ipaddress.ip_network(item.strip())) for item in text.split(",") if item.strip()
        )
    except ValueError:
        raise SettingsError(
            "MARKETPLACE_TRUSTED_PROXIES lists addresses and networks: 10.0.0.7, 10.1.0.0/16"
        ) from None


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise SettingsError(f"{name} is not set")
    return value


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SettingsError(f"{name} must be a number from {low} to {high}")
    return int(text)


def _secret(env: Mapping[str, str], data: Path) -> Secret:
    """Several machines must share MARKETPLACE_SECRET; a file beside the data is for one."""
    given = env.get("MARKETPLACE_SECRET")
    if given:
        return Secret(given, env.get("MARKETPLACE_SECRET_OTHER", ""))
    return secret_file.read_or_make(data)
