"""What it costs to guess a password from its hash."""

from __future__ import annotations

from tests.conftest import PASSWORD_COST


def test_a_password_costs_what_owasp_asks_for() -> None:
    # Password storage cheat sheet, argon2id: 19 MiB, two passes, one lane.
    assert PASSWORD_COST == (19 * 1024, 2, 1)
