"""Forms that change what others may change meanwhile: `If-Match` (RFC 9110, 13.1.1) as a field.

A form carries the tag of the content it showed, in `version`, and the content itself, in
`was.NAME`. Where the object has another tag by now nothing is written. The form comes back with
what was typed, with the present value in every field that was left alone, and with a note where two
people changed the same field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.errors import PreconditionFailed
from web.conditions import tag_of, take_turn
from web.pages.forms import Form

VERSION = "version"
WAS = "was."


class Editing(msgspec.Struct, frozen=True, kw_only=True):
    """What such a form shows.

    values   by field
    present  the content as it is now, for the hidden fields
    version  its tag
    newer    the present values of fields that both changed
    stale    whether somebody else changed anything since the form was opened
    """

    values: dict[str, str]
    present: dict[str, str]
    version: str
    newer: dict[str, str] = {}
    stale: bool = False


def opened(view: msgspec.Struct, content: dict[str, str]) -> Editing:
    """For a form that nobody has typed into yet; `content` is `view` as its fields show it."""
    return Editing(values=content, present=content, version=version_of(view))


def returned(
    view: msgspec.Struct, content: dict[str, str], form: Form, typed: Mapping[str, str]
) -> Editing:
    """For a form that was refused, for whatever reason; `typed` has the fields of `content`."""
    was = {name: form.one(WAS + name) for name in content}
    changed = {name for name in content if typed[name] != was[name]}
    return Editing(
        values={name: typed[name] if name in changed else content[name] for name in content},
        present=content,
        version=version_of(view),
        newer={
            name: content[name] for name in changed if content[name] not in {was[name], typed[name]}
        },
        stale=form.one(VERSION) != version_of(view),
    )


def version_of(view: msgspec.Struct) -> str:
    """The tag that the API gives this content, without quotes."""
    return tag_of(msgspec.json.encode(view)).decode().strip('"')


async def take_turn_at(session: AsyncSession, path: str) -> None:
    """Before the present content is read: API and pages write one after the other."""
    await take_turn(session, path)


def require_current(form: Form, view: msgspec.Struct) -> None:
    """Raises PreconditionFailed."""
    if form.one(VERSION) != version_of(view):
        raise PreconditionFailed


def context(editing: Editing) -> dict[str, Any]:
    """For `page`: the macros of `parts/edits.html` take `editing`, the fields `form`."""
    return {"editing": editing, "form": editing.values}
