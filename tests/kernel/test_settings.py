"""Settings: read once, told apart, refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketplace.kernel.settings import SettingsError, environment, external_urls, read_settings

BOTH = {
    "MARKETPLACE_DATABASE_URL": "postgresql://here/x",
    "MARKETPLACE_REDIS_URL": "redis://here",
    "MARKETPLACE_SECRET": "kept",
}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"MARKETPLACE_DATABASE_URL": ""}, "MARKETPLACE_DATABASE_URL"),
        ({"MARKETPLACE_REDIS_URL": ""}, "MARKETPLACE_REDIS_URL"),
        ({"MARKETPLACE_REDIS_URL": "localhost:6379"}, "MARKETPLACE_REDIS_URL"),
        ({"MARKETPLACE_REDIS_URL": "http://localhost"}, "MARKETPLACE_REDIS_URL"),
        ({"MARKETPLACE_PUBLIC_URL": "example.com"}, "MARKETPLACE_PUBLIC_URL"),
        ({"MARKETPLACE_LOG_FORMAT": "xml"}, "MARKETPLACE_LOG_FORMAT"),
        ({"MARKETPLACE_DATABASE_POOL_SIZE": "many"}, "MARKETPLACE_DATABASE_POOL_SIZE"),
        ({"MARKETPLACE_DATABASE_POOL_SIZE": "0"}, "MARKETPLACE_DATABASE_POOL_SIZE"),
        ({"MARKETPLACE_AUCTIONS_MAX": "9"}, "MARKETPLACE_AUCTIONS_MAX"),
        ({"MARKETPLACE_TRUSTED_PROXIES": "*"}, "MARKETPLACE_TRUSTED_PROXIES"),
        ({"MARKETPLACE_TRUSTED_PROXIES": "balancer"}, "MARKETPLACE_TRUSTED_PROXIES"),
        ({"MARKETPLACE_TRUSTED_PROXIES": "10.0.0.7/8"}, "MARKETPLACE_TRUSTED_PROXIES"),
    ],
)
def test_a_wrong_variable_is_named_in_one_line(change: dict[str, str], word: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings(BOTH | change)
    assert word in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_https_address_makes_cookies_secure() -> None:
    secure = read_settings(BOTH | {"MARKETPLACE_PUBLIC_URL": "https://market.example/"})
    assert secure.secure_cookies
    assert secure.origin == "https://market.example"
    assert not read_settings(BOTH).secure_cookies


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    without = {name: text for name, text in BOTH.items() if name != "MARKETPLACE_SECRET"}
    first = read_settings(without, data_dir=tmp_path)
    assert read_settings(without, data_dir=tmp_path).secret == first.secret
    assert (tmp_path.with_name(f"{tmp_path.name}.secret")).stat().st_mode & 0o777 == 0o600


def test_both_servers_are_configured_or_neither() -> None:
    assert external_urls({}) is None
    assert external_urls(BOTH) == ("postgresql://here/x", "redis://here")
    with pytest.raises(SettingsError, match="both"):
        external_urls({"MARKETPLACE_REDIS_URL": "redis://here"})


def test_a_child_process_reads_the_same_settings() -> None:
    settings = read_settings(
        BOTH
        | {
            "MARKETPLACE_DATABASE_POOL_SIZE": "7",
            "MARKETPLACE_AUCTIONS_MAX": "300",
            "MARKETPLACE_TRUSTED_PROXIES": "10.0.0.7, fd00::/8",
        }
    )
    assert settings.trusted_proxies == ("10.0.0.7/32", "fd00::/8")
    assert read_settings(environment(settings)) == settings
