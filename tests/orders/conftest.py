"""Colleagues: somebody else in the same organisation."""

from __future__ import annotations

from functools import partial

import pytest

from tests.people import Connect, NewPerson, colleague, peer


@pytest.fixture(scope="session")
def new_colleague(connect_client: Connect) -> NewPerson:
    """`await new_colleague(person, "approver")`: came by the invitation link, logged in."""
    return partial(colleague, connect_client)


@pytest.fixture(scope="session")
def new_peer(connect_client: Connect) -> NewPerson:
    """`await new_peer(person, "approver")`: one whom another administrator brought in."""
    return partial(peer, connect_client)
