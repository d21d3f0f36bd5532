"""Whether a classification code stands in the list it names.

A list that this marketplace has not loaded says nothing: its codes are taken as they come.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.errors import FieldError


class Named(msgspec.Struct, frozen=True):
    """A code as somebody named it. An empty `list_version` means any version that is loaded."""

    scheme: str
    list_version: str
    code: str


# CPV is written with and without its check digit: `42122000-0` and `42122000` are one code.
_UNKNOWN = text(
    """WITH named AS (SELECT n.place, n.scheme, n.list_version, n.code FROM unnest(
            CAST(:schemes AS text[]), CAST(:versions AS text[]), CAST(:codes AS text[]))
            WITH ORDINALITY AS n (scheme, list_version, code, place))
    SELECT n.place - 1 AS place FROM named n
    WHERE EXISTS (SELECT FROM classifications c WHERE c.scheme = n.scheme
            AND (n.list_version = '' OR c.list_version = n.list_version))
        AND NOT EXISTS (SELECT FROM classifications c WHERE c.scheme = n.scheme
            AND (n.list_version = '' OR c.list_version = n.list_version)
            AND (c.code = n.code OR n.scheme = 'CPV' AND split_part(c.code, '-', 1) = n.code))
    ORDER BY 1"""
)


async def unknown_codes(session: AsyncSession, named: Sequence[Named]) -> list[int]:
    """The places in `named` of codes that their lists do not have."""
    if not named:
        return []
    values = {
        "schemes": [each.scheme for each in named],
        "versions": [each.list_version for each in named],
        "codes": [each.code for each in named],
    }
    return [int(place) for place in (await session.execute(_UNKNOWN, values)).scalars()]


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
