"""Loading published lists of codes: classifications such as CPV, and units of measure."""

from __future__ import annotations

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.errors import Invalid
from pricing.catalogue.rules import depths, is_code, parents
from pricing.catalogue.schemas import Loaded

ENTRIES_MAX = 200_000
NAME_CHARS_MAX = 500
LIST_BYTES_MAX = 32 << 20


class UnitEntry(msgspec.Struct):
    """As published with UN/ECE Recommendations 20 and 21."""

    name: str
    symbol: str = ""


def read_names(content: bytes) -> dict[str, str]:
    """`{"03000000-1": "Agricultural products", …}`. Raises Invalid."""
    try:
        names = msgspec.json.decode(content, type=dict[str, str])
    except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
        raise Invalid("malformed", "A list is one JSON object from codes to names.") from wrong
    _check_codes(names)
    return names


def read_units(content: bytes) -> dict[str, UnitEntry]:
    """`{"KGM": {"name": "kilogram", "symbol": "kg"}, …}`. Raises Invalid."""
    try:
        units = msgspec.json.decode(content, type=dict[str, UnitEntry])
    except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
        raise Invalid("malformed", "A list is one JSON object from codes to units.") from wrong
    _check_codes({code: unit.name for code, unit in units.items()})
    return units


def _check_codes(names: dict[str, str]) -> None:
    if not 0 < len(names) <= ENTRIES_MAX:
        raise Invalid("wrong_size", f"A list has 1 to {ENTRIES_MAX:,} entries.")
    for code, name in names.items():
        if not is_code(code) or not 0 < len(name) <= NAME_CHARS_MAX:
            raise Invalid("malformed_entry", f"The entry {code[:40]!r} has no code or no name.")


async def load_classification(
    session: AsyncSession, scheme: str, list_version: str, language: str, names: dict[str, str]
) -> Loaded:
    """Codes and names in one language; the same list in another language adds its names. Loading
    again replaces names and adds codes, and takes nothing away that items may refer to.
    """
    known = await session.execute(
        text("SELECT code FROM classifications WHERE scheme = :scheme AND list_version = :version"),
        {"scheme": scheme, "version": list_version},
    )
    tree = parents({*names, *known.scalars()})
    depth = depths(tree)
    key = {"scheme": scheme, "version": list_version}
    await session.execute(
        text(
            """INSERT INTO classifications (scheme, list_version, code, parent_code, depth)
            SELECT :scheme, :version, e.* FROM unnest(CAST(:codes AS text[]),
                CAST(:parents AS text[]), CAST(:depths AS integer[])) e
            ON CONFLICT (scheme, list_version, code)
            DO UPDATE SET parent_code = excluded.parent_code, depth = excluded.depth"""
        ),
        key
        | {
            "codes": list(tree),
            "parents": list(tree.values()),
            "depths": [depth[code] for code in tree],
        },
    )
    await session.execute(
        text(
            """INSERT INTO classification_names (scheme, list_version, code, language, name)
            SELECT :scheme, :version, e.code, :language, e.name
            FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[])) e (code, name)
            ON CONFLICT (scheme, list_version, code, language)
            DO UPDATE SET name = excluded.name"""
        ),
        key | {"language": language, "codes": list(names), "names": list(names.values())},
    )
    return Loaded(len(names), sum(above is None for above in tree.values()))


async def load_units(
    session: AsyncSession, list_version: str, units: dict[str, UnitEntry]
) -> Loaded:
    """Names and symbols; what is known of conversions stays."""
    await session.execute(
        text(
            """INSERT INTO units (code, name, symbol, list_version)
            SELECT e.code, e.name, e.symbol, :version FROM unnest(CAST(:codes AS text[]),
                CAST(:names AS text[]), CAST(:symbols AS text[])) e (code, name, symbol)
            ON CONFLICT (code) DO UPDATE SET name = excluded.name, symbol = excluded.symbol,
                list_version = excluded.list_version"""
        ),
        {
            "version": list_version,
            "codes": list(units),
            "names": [unit.name for unit in units.values()],
            "symbols": [unit.symbol for unit in units.values()],
        },
    )
    return Loaded(len(units), len(units))
