"""How fast anybody may try passwords and codes, counted for all nodes together in Redis.

A try takes from its buckets before the password is looked at, so that many at once get no more than
one after the other; a right one puts back what it took. Who tries decides which buckets count:

- a browser in which this account has logged in before has a bucket of its own. What strangers do
  never reaches it;
- everybody else shares a bucket with the same address: one for this account, one for all accounts;
- all strangers at one account share a third one. When it is empty the account is under attack from
  many addresses; then each address still has a try or two, so that its owner gets in from a new
  place with the right password, and waits long for the next.
"""

from __future__ import annotations

from uuid import UUID

import msgspec
from redis.exceptions import RedisError

from marketplace.accounts.addresses import SITE_BITS, network_of
from marketplace.kernel.errors import TooFast, Unavailable
from marketplace.kernel.ids import token_hash
from marketplace.kernel.redis import AnyRedis
from marketplace.kernel.throttle import Rate, give_back, refill, take

_ACCOUNT_CHARS = 24


class LoginLimits(msgspec.Struct, frozen=True, kw_only=True):
    """per_address    calls of one site that cost a password hash, right or wrong; it may be a whole
                      office or a load test
    by_device         wrong tries in a known browser: some for slips, then two a minute
    by_address        wrong tries of one address at one account, then one a minute
    at_all_accounts   wrong tries of one address at any accounts: an office may mistype a lot
    at_account        wrong tries of all strangers at one account before it is under attack
    under_attack      tries of one address at an account under attack
    codes_at_account  wrong codes of all strangers after the right password. There is no exception
                      for new addresses: six digits are few, and who guesses them knows the password
    mails             links to reset a forgotten password, to one address
    in_session        wrong passwords and codes in one session
    """

    per_address: Rate = Rate(per_s=10, burst=500)
    by_device: Rate = Rate(per_s=1 / 30, burst=10)
    by_address: Rate = Rate(per_s=1 / 60, burst=10)
    at_all_accounts: Rate = Rate(per_s=1 / 10, burst=300)
    at_account: Rate = Rate(per_s=1 / 30, burst=100)
    under_attack: Rate = Rate(per_s=1 / 900, burst=2)
    codes_at_account: Rate = Rate(per_s=1 / 300, burst=20)
    mails: Rate = Rate(per_s=1 / 1_200, burst=3)
    in_session: Rate = Rate(per_s=1 / 60, burst=10)


class Guess(msgspec.Struct, frozen=True):
    """What one try took. If it was right, `own` buckets are full again, `shared` ones get one
    back.
    """

    own: list[str]
    shared: list[tuple[str, Rate]] = []


def account_of(email_normal: str) -> str:
    """What an account is called in keys and cookies; addresses without an account have one too."""
    return token_hash(email_normal).hex()[:_ACCOUNT_CHARS]


class Guesses:
    """Each method that takes raises TooFast (with the seconds to wait) and Unavailable."""

    def __init__(self, redis: AnyRedis, limits: LoginLimits) -> None:
        self._redis = redis
        self._limits = limits

    async def admit_address(self, address: str) -> None:
        """Count a call of somebody who is not logged in."""
        await self._take(
            f"throttle:address:{network_of(address, SITE_BITS)}", self._limits.per_address
        )

    async def password(self, account: str, address: str, device: str | None) -> Guess:
        """Before the password of `account` is looked at. `device`: as `KnownDevices.known_for`."""
        limits, network = self._limits, network_of(address)
        if device is not None:
            return await self._of_device("password", account, device)
        pair, attacked = f"throttle:password:{account}:{network}", _attacked(account, network)
        guess = Guess(own=[pair, attacked])
        await self._take(pair, limits.by_address)
        await self._take_shared(guess, f"throttle:passwords:{network}", limits.at_all_accounts)
        try:
            await self._take_shared(guess, _at_account(account), limits.at_account)
        except TooFast:
            await self._take(attacked, limits.under_attack)
        return guess

    async def code(self, account: str, address: str, device: str | None) -> Guess:
        """Before a code of the second factor is looked at; the password was right."""
        if device is not None:
            return await self._of_device("code", account, device)
        pair = f"throttle:code:{account}:{network_of(address)}"
        guess = Guess(own=[pair])
        await self._take(pair, self._limits.by_address)
        await self._take_shared(guess, f"throttle:codes:{account}", self._limits.codes_at_account)
        return guess

    async def in_session(self, kind: str, session_id: UUID | None) -> Guess:
        """Before a `password` or `code` that is asked for again inside a session. Counted by the
        session: whoever has stolen one keeps nobody out of another.
        """
        assert session_id is not None, "an API key is never asked for a password"
        bucket = f"throttle:{kind}:session:{session_id}"
        await self._take(bucket, self._limits.in_session)
        return Guess(own=[bucket])

    async def may_mail(self, account: str) -> bool:
        """Whether one more link may go to this address. Raises Unavailable."""
        try:
            await self._take(f"throttle:mails:{account}", self._limits.mails)
        except TooFast:
            return False
        return True

    async def forgive(self, guess: Guess) -> None:
        """It was right. Raises Unavailable."""
        try:
            for bucket in guess.own:
                await refill(self._redis, bucket)
            for bucket, rate in guess.shared:
                await give_back(self._redis, bucket, rate)
        except RedisError as error:
            raise Unavailable(detail="Nobody can log in at this moment.") from error

    async def forget_strangers(self, account: str, address: str) -> None:
        """The owner has chosen a new password: what was guessed before is worth nothing."""
        own = [f"throttle:password:{account}:{network_of(address)}"]
        await self.forgive(
            Guess(own=[*own, _at_account(account), _attacked(account, network_of(address))])
        )

    async def _of_device(self, kind: str, account: str, device: str) -> Guess:
        bucket = f"throttle:{kind}:{account}:device:{device}"
        await self._take(bucket, self._limits.by_device)
        return Guess(own=[bucket])

    async def _take_shared(self, guess: Guess, bucket: str, rate: Rate) -> None:
        await self._take(bucket, rate)
        guess.shared.append((bucket, rate))

    async def _take(self, bucket: str, rate: Rate) -> None:
        try:
            wait_s = await take(self._redis, bucket, rate.per_s, rate.burst)
        except RedisError as error:
            raise Unavailable(detail="Nobody can log in at this moment.") from error
        if wait_s is not None:
            seconds = int(wait_s) + 1
            detail = f"Too many attempts. Try again in {seconds} s."
            raise TooFast(detail, retry_after_s=seconds)


def _at_account(account: str) -> str:
    return f"throttle:account:{account}"


def _attacked(account: str, network: str) -> str:
    return f"throttle:attacked:{account}:{network}"
