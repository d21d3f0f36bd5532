"""One URL for a single server, Sentinel and Cluster; and what is refused by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from marketplace.kernel.redis.url import Credentials, RedisUrlError, parse
from marketplace.kernel.server_urls import Host
from marketplace.kernel.settings import SettingsError, read_settings

NOBODY = Credentials()
SOMEBODY = Credentials("market", "p@ss:w/rd#1")


@pytest.mark.parametrize(
    ("text", "kind", "hosts", "database", "servers"),
    [
        ("redis://", "single", [Host("localhost", 6379)], 0, NOBODY),
        ("redis://here/3", "single", [Host("here", 6379)], 3, NOBODY),
        ("redis://[::1]:7000?db=4", "single", [Host("::1", 7000)], 4, NOBODY),
        ("redis://:only@here", "single", [Host("here", 6379)], 0, Credentials(None, "only")),
        (
            "rediss://market:p%40ss%3Aw%2Frd%231@here",
            "single",
            [Host("here", 6379)],
            0,
            SOMEBODY,
        ),
        (
            "redis+cluster://market:p%40ss%3Aw%2Frd%231@a,b:7001,[::1]",
            "cluster",
            [Host("a", 6379), Host("b", 7001), Host("::1", 6379)],
            0,
            SOMEBODY,
        ),
        (
            "rediss+sentinel://a,b:5000/orders/2",
            "sentinel",
            [Host("a", 26379), Host("b", 5000)],
            2,
            NOBODY,
        ),
    ],
)
def test_what_a_url_means(
    text: str, kind: str, hosts: list[Host], database: int, servers: Credentials
) -> None:
    url = parse(text)
    assert (url.kind, list(url.hosts), url.database) == (kind, hosts, database)
    assert url.servers == servers
    assert (url.tls is not None) == text.startswith("rediss")


def test_a_socket_has_a_path_and_may_have_a_user() -> None:
    url = parse("unix://market:secret@/run/redis.sock?db=5")
    assert (url.path, url.database, url.hosts) == ("/run/redis.sock", 5, ())
    assert url.servers == Credentials("market", "secret")


def test_sentinels_have_a_master_and_credentials_of_their_own() -> None:
    url = parse("redis+sentinel://u:p@a/orders?sentinel_username=asks&sentinel_password=s%26p")
    assert (url.master, url.servers) == ("orders", Credentials("u", "p"))
    assert url.sentinels == Credentials("asks", "s&p")
    assert parse("redis+sentinel://a").master == "mymaster"


def test_tls_is_set_by_the_client_librarys_own_names() -> None:
    url = parse("rediss://here?ssl_cert_reqs=none&ssl_check_hostname=false")
    assert url.tls == {"ssl_cert_reqs": "none", "ssl_check_hostname": False}


def test_the_examples_of_the_manual_are_understood(repository: Path) -> None:
    text = (repository / "docs" / "operating.md").read_text()
    urls = re.findall(r"^(?:rediss?(?:\+\w+)?|unix)://\S+$", text, re.MULTILINE)
    assert {parse(url).kind for url in urls} == {"single", "sentinel", "cluster"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("localhost:6379", "must begin with"),
        ("http://localhost", "must begin with"),
        ("redis://a,b", "several hosts"),
        ("redis://a,,b", "empty"),
        ("redis://a:99999", "port"),
        ("redis://a/x", "database"),
        ("redis://a/1/2", "too many parts"),
        ("redis://a/1?db=2", "not both"),
        ("redis://user:p@ss@a", "%40"),
        ("redis://user:p#ss@a", "%23"),
        ("redis://user:p%ss@a", "%25"),
        ("redis://a?socket_timeout=5", "socket_timeout"),
        ("redis://a?ssl_ca_certs=/x", "rediss"),
        ("redis://a?sentinel_password=x", "sentinel_password"),
        ("rediss://a?ssl_ca_certs=/nonexistent", "certificate files"),
        ("rediss://a?ssl_cert_reqs=perhaps", "required, none"),
        ("redis+cluster://a/1", "no database but 0"),
        ("redis+cluster://a?db=1", "no database but 0"),
        ("redis+sentinel://a/m/1/2", "too many parts"),
        ("unix://host/run/redis.sock", "absolute path"),
        ("redis+cluster://" + ",".join(f"h{n}" for n in range(17)), "more than 16"),
    ],
)
def test_what_is_not_supported_is_refused_in_one_line(text: str, word: str) -> None:
    with pytest.raises(RedisUrlError, match=word) as refused:
        parse(text)
    assert str(refused.value).startswith("MARKETPLACE_REDIS_URL: ")
    assert "ss@" not in str(refused.value)
    with pytest.raises(SettingsError):
        read_settings(
            {
                "MARKETPLACE_DATABASE_URL": "postgresql://here/x",
                "MARKETPLACE_REDIS_URL": text,
                "MARKETPLACE_SECRET": "kept",
            }
        )
