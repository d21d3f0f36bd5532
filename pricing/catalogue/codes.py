"""Whether a classification code stands in the list it names.

A list that this marketplace has not loaded says nothing: its codes are taken as they come.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.errors import FieldError
from pricing.catalogue import queries


class Named(msgspec.Struct, frozen=True):
    """A code as somebody named it. An empty `list_version` means any version that is loaded."""

    scheme: str
    list_version: str
    code: str


async def unknown_codes(session: AsyncSession, named: Sequence[Named]) -> list[int]:
    """The places in `named` of codes that their lists do not have."""
    if not named:
        return []
    return await queries.unknown_codes(
        session,
        [each.scheme for each in named],
        [each.list_version for each in named],
        [each.code for each in named],
    )


async def code_errors(
    session: AsyncSession, named: Sequence[tuple[str, Named]]
) -> list[FieldError]:
    """`named` holds the path of each code's field in the request."""
    return [
        FieldError(
            named[place][0],
            "unknown_code",
            f"The list {named[place][1].scheme} has no code {named[place][1].code}.",
            "Look the code up under /api/v1/classifications.",
        )
        for place in await unknown_codes(session, [each for _, each in named])
    ]
