"""What stands for a right password until the code comes, and how devices are called."""

from __future__ import annotations

import pytest

from marketplace.accounts.devices import device_name
from marketplace.accounts.models import User
from marketplace.accounts.tickets import TICKET_LIFE, Tickets
from marketplace.kernel.ids import new_id
from marketplace.kernel.sealing import Sealer
from tests.accounts.test_logins import MovedClock

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/130.0.0.0 Safari/537.36"
)
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def user() -> User:
    return User(id=new_id(), email_normal="ada@example.com", password_hash="$argon2id$one")


def tickets(clock: MovedClock, secret: str = "secret") -> Tickets:
    return Tickets(Sealer(secret, "login ticket"), clock)


def test_a_ticket_fits_its_user_until_the_password_changes(user: User) -> None:
    clock = MovedClock()
    ticket = tickets(clock).read(tickets(clock).issue(user))
    assert ticket is not None
    assert (ticket.user_id, ticket.email_normal) == (user.id, "ada@example.com")
    assert ticket.fits(user)
    user.password_hash = "$argon2id$two"
    assert not ticket.fits(user)


def test_a_ticket_expires(user: User) -> None:
    clock = MovedClock()
    text = tickets(clock).issue(user)
    clock.moved = TICKET_LIFE
    assert tickets(clock).read(text) is None


@pytest.mark.parametrize("text", ["", "x", "bWFkZSB1cA==", "ä", "A" * 2_000])
def test_what_is_no_ticket_opens_nothing(text: str) -> None:
    assert tickets(MovedClock()).read(text) is None


def test_a_ticket_of_another_house_opens_nothing(user: User) -> None:
    clock = MovedClock()
    assert tickets(clock).read(tickets(clock, "other").issue(user)) is None


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (CHROME, "Chrome, Windows"),
        (f"{CHROME} Edg/130.0.0.0", "Edge, Windows"),
        (PHONE, "Safari, iPhone"),
        ("python-httpx/0.27", ""),
        ("", ""),
    ],
)
def test_a_device_is_called_as_its_owner_does(agent: str, name: str) -> None:
    assert device_name(agent) == name
