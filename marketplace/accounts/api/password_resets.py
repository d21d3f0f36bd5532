"""Forgotten passwords over HTTP."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, post
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.api.common import client_address
from marketplace.accounts.guessing import Guesses
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import NewPassword, PasswordResetRequest
from marketplace.accounts.service import password_resets
from marketplace.kernel.access import PUBLIC_ONCE
from marketplace.kernel.clock import Clock
from marketplace.kernel.facts import Facts


class PasswordResetController(Controller):
    path = "/api/v1/password_resets"
    tags = ("accounts",)

    @post(status_code=202, opt=PUBLIC_ONCE, summary="Ask for a new password")
    async def ask(
        self,
        request: Request[Any, Any, Any],
        session: AsyncSession,
        clock: Clock,
        guesses: Guesses,
        data: PasswordResetRequest,
    ) -> None:
        """Ask for a link to choose a new password, by mail. The answer is the same whether the
        address has an account or not.
        """
        await password_resets.ask(session, clock, guesses, data.email, client_address(request))

    @post(
        "/{token:str}",
        status_code=204,
        opt=PUBLIC_ONCE | {"problems": (410,)},
        summary="Choose a new password",
    )
    async def use(
        self,
        request: Request[Any, Any, Any],
        session: AsyncSession,
        clock: Clock,
        facts: Facts,
        passwords: Passwords,
        revocations: Revocations,
        guesses: Guesses,
        token: str,
        data: NewPassword,
    ) -> None:
        """Use the link: choose a new password. All sessions end, with `end_keys` the API keys too;
        a second factor stays. A used or expired link answers 410.
        """
        address = client_address(request)
        await password_resets.use(
            session, clock, facts, passwords, revocations, guesses, token, data, address
        )
