"""Types and bodies that several parts of the programme share. Percentages, targets and values are
decimal texts.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Name = Annotated[
    str,
    Meta(min_length=1, max_length=200, description="What people call it.", examples=["Partners"]),
]
Word = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9][a-z0-9_-]{0,49}$",
        description="A short name in small letters, digits, - and _.",
        examples=["silver"],
    ),
]
Place = Annotated[
    str, Meta(min_length=1, max_length=100, description="A free word.", examples=["north"])
]
Decimals = Annotated[
    str, Meta(min_length=1, max_length=24, description="A decimal text.", examples=["50000.00"])
]
Percent = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=6,
        description="Percent from 0 to 100 with at most two decimals.",
        examples=["2.50"],
    ),
]
MeasureCode = Annotated[
    str,
    Meta(min_length=1, max_length=60, description="A code of /measures.", examples=["sales"]),
]
Days = Annotated[
    int, Meta(ge=1, le=3_660, description="Days of 24 hours back from now.", examples=[365])
]
Reason = Annotated[
    str, Meta(min_length=1, max_length=1_000, description="Why.", examples=["Too high for us"])
]


class Move(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another version of the programme."""

    version: Annotated[int, Meta(ge=1, description="A published one.", examples=[2])]


class WithReason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: Reason
