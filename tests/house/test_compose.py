"""What docker-compose.yml and the image promise to those who start from them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from marketplace.kernel.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
POOLS = 5
"""Readers, steady, bulk, and twice as many for SQLAlchemy, see `kernel/db.py`."""


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_every_service_that_stays_has_a_health_check(name: str) -> None:
    assert "test" in SERVICES[name]["healthcheck"]


def test_migrate_waits_for_tcp() -> None:
    assert SERVICES["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert "-h" in SERVICES["postgres"]["healthcheck"]["test"]


def test_the_balancer_looks_at_readyz_of_each_node_and_is_trusted_alone() -> None:
    config = COMPOSE["configs"]["caddyfile"]["content"]
    nodes = [name for name in SERVICES if name.startswith("node")]
    assert len(nodes) == 2
    assert f"reverse_proxy {' '.join(f'{name}:8000' for name in nodes)}" in config
    assert "health_uri /readyz" in config
    address = SERVICES["balancer"]["networks"]["default"]["ipv4_address"]
    for name in nodes:
        assert SERVICES[name]["environment"]["MARKETPLACE_TRUSTED_PROXIES"] == address


def test_no_secret_has_a_default() -> None:
    for name in ("POSTGRES_PASSWORD", "MARKETPLACE_SECRET"):
        uses = re.findall(r"\$\{" + name + r"[^}]*\}", TEXT)
        assert uses, name
        assert all(use.startswith(f"${{{name}:?") for use in uses)


def test_there_are_connections_for_all_processes_during_a_rolling_deploy() -> None:
    processes = [n for n in SERVICES if n.startswith("node") or n == "worker"]
    size = next(f.default for f in _fields() if f.name == "database_pool_size")
    command = SERVICES["postgres"]["command"]
    allowed = int(next(word for word in command if "max_connections" in word).partition("=")[2])
    assert allowed >= 2 * len(processes) * POOLS * size


def _fields() -> Any:
    import msgspec

    return msgspec.structs.fields(Settings)


def test_the_image_has_no_developers_tools() -> None:
    stages = (ROOT / "docs" / "Dockerfile").read_text().split("\nFROM ")
    last = stages[-1]
    assert "make" not in last
    assert "/opt/marketplace/bin" in last
    recipe = (ROOT / "Makefile").read_text().partition("\nproduction:")[2].partition("\n\n")[0]
    assert "--no-dev" in recipe
    assert "--all-groups" not in recipe
