"""One visit of a page: who comes, from which organisation, in which transaction, and how a page
tries what a form asks for.

    form = await visit.form()
    async with visit.trying(form, names=NAMES) as attempt:
        made = await service.create(visit.session, visit.actor, read(form), visit.now)
        return go(f"/things/{made.id}")
    return await _page(visit, attempt)

A problem of the service ends the block, not the request: nothing of it is written, and the page is
shown again with its status, the errors at their fields and what was typed (`Visit.page`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any

from litestar.di import Provide
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.gate import Gate
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Forbidden, NotFound, Problem
from marketplace.kernel.statements import Source
from web.pages.forms import Form, read_form
from web.pages.render import AnyRequest, Viewer, context, field_errors, language_of, told, viewer_of
from web.translate import Language


class Attempt:
    """What became of a form: `problem` is None while nothing was refused.

    names  API path → field of the form, where the two differ
    codes  code of a problem that names no field → the field that it is about
    lists  fields with several values
    """

    def __init__(
        self,
        session: AsyncSession | None = None,
        form: Form | None = None,
        *,
        names: Mapping[str, str] | None = None,
        codes: Mapping[str, str] | None = None,
        lists: Collection[str] = (),
    ) -> None:
        self.form = form
        self.problem: Problem | None = None
        self._session = session
        self._names = names or {}
        self._codes = codes or {}
        self._lists = lists

    @classmethod
    def refused(cls, problem: Problem) -> Attempt:
        """For a page of its own about `problem`."""
        attempt = cls()
        attempt.problem = problem
        return attempt

    async def __aenter__(self) -> Attempt:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        # What is not there, or not the visitor's, has no page to show again.
        if not isinstance(error, Problem) or isinstance(error, NotFound):
            return False
        self.problem = error
        if self._session is not None:
            # The page reads in a transaction of its own, also where a statement failed.
            await self._session.rollback()
        return True

    @property
    def status(self) -> int:
        return self.problem.status if self.problem else 200

    @property
    def typed(self) -> dict[str, str | list[str]]:
        """By field; nothing unless the form comes back."""
        return self.form.typed(*self._lists) if self.form and self.problem else {}

    @property
    def errors(self) -> dict[str, str]:
        """A text for each wrong field, by its name in the form."""
        if self.problem is None:
            return {}
        if field := self._codes.get(self.problem.code):
            return {field: self.problem.detail}
        return field_errors(self.problem, self._names)

    @property
    def box(self) -> dict[str, str] | None:
        """What is wrong as a whole, or with a field that the form does not have."""
        shown = {*self._lists, *self._names.values(), *self._codes.values()}
        if self.form is not None:
            shown.update(self.form.names())
        return None if self.errors and self.errors.keys() <= shown else told(self.problem)


UNTRIED = Attempt()
"""A page that is shown for the first time."""


class _AnyVisit(ABC):
    def __init__(self, request: AnyRequest, session: AsyncSession, now: datetime) -> None:
        self.request = request
        self.session = session
        self.now = now

    @property
    def fmt(self) -> Language:
        return language_of(self.request)

    def trying(
        self,
        form: Form | None = None,
        *,
        names: Mapping[str, str] | None = None,
        codes: Mapping[str, str] | None = None,
        lists: Collection[str] = (),
    ) -> Attempt:
        """For `async with`; what `Attempt` says. Problems but NotFound end the block only."""
        return Attempt(self.session, form, names=names, codes=codes, lists=lists)

    async def page(
        self,
        name: str,
        attempt: Attempt = UNTRIED,
        *,
        source: Source | None = None,
        **values: Any,
    ) -> Template:
        """The template `name` with `values` and what became of its form. The viewer is read from
        `source`, where the page has a quicker one than the session.
        """
        shown = context(self.request, await self._viewer(source or self.session))
        shown |= {"form": attempt.typed, "errors": attempt.errors, "problem": attempt.box}
        return Template(name, context=shown | values, status_code=attempt.status)

    @abstractmethod
    async def _viewer(self, source: Source) -> Viewer | None: ...


class Visit(_AnyVisit):
    """Of somebody who is logged in; the guard has compared the token of a form."""

    def __init__(
        self, request: AnyRequest, session: AsyncSession, actor: Actor, now: datetime
    ) -> None:
        super().__init__(request, session, now)
        self.actor = actor

    async def form(self) -> Form:
        """Raises TooLarge."""
        return await read_form(self.request)

    async def _viewer(self, source: Source) -> Viewer:
        return await viewer_of(source, self.actor)


class PublicVisit(_AnyVisit):
    """Of a page that needs no login."""

    def __init__(
        self, request: AnyRequest, session: AsyncSession, gate: Gate, now: datetime
    ) -> None:
        super().__init__(request, session, now)
        self._gate = gate

    async def form(self) -> Form:
        """Forms before a login have no token to show: their Origin tells them from foreign ones.
        Raises Forbidden, TooLarge.
        """
        if not self._gate.same_origin(self.request.scope["headers"], self.request.scope["scheme"]):
            raise Forbidden("origin_foreign", "This form was sent from another site.")
        return await read_form(self.request)

    async def _viewer(self, source: Source) -> None:
        return None


def _visit(request: AnyRequest, session: AsyncSession, actor: Actor, clock: Clock) -> Visit:
    return Visit(request, session, actor, clock.now())


def _public_visit(
    request: AnyRequest, session: AsyncSession, gate: Gate, clock: Clock
) -> PublicVisit:
    return PublicVisit(request, session, gate, clock.now())


VISITS = {
    "visit": Provide(_visit, sync_to_thread=False),
    "public_visit": Provide(_public_visit, sync_to_thread=False),
}
"""What a page's handler may ask for by name."""
