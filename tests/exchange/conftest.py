"""A marketplace for each module here, and a clock that is moved forward by hand.

The senders send all that is due in a database. In the one the tests share that would include the
mails and webhooks of other tests.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.kernel.clock import Clock, Micros
from marketplace.kernel.db import Database
from marketplace.kernel.settings import Settings
from tests.conftest import Marketplace
from tests.people import Connect, NewPerson, Person


class Ahead(Clock):
    """The wall clock, moved forward by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now_us(self) -> Micros:
        return Micros(super().now_us() + self.ahead // timedelta(microseconds=1))


@pytest.fixture
def clock() -> Ahead:
    return Ahead()


@pytest.fixture(scope="module")
def settings(own_marketplace: Marketplace) -> Settings:
    return own_marketplace.settings


@pytest.fixture(scope="module")
def database(own_marketplace: Marketplace) -> Database:
    return own_marketplace.database


@pytest.fixture(scope="module")
def connect_client(own_marketplace: Marketplace) -> Connect:
    return own_marketplace.connect


@pytest.fixture(scope="module")
def operator(own_marketplace: Marketplace) -> Person:
    return own_marketplace.operator


@pytest.fixture(scope="module")
def new_buyer(own_marketplace: Marketplace) -> NewPerson:
    return own_marketplace.new_buyer


@pytest.fixture(scope="module")
def new_supplier(own_marketplace: Marketplace) -> NewPerson:
    return own_marketplace.new_supplier
