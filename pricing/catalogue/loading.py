"""Loading published lists of codes: classifications such as CPV, and units of measure."""

from __future__ import annotations

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.errors import Invalid
from pricing.catalogue import queries
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
    tree = parents({*names, *await queries.codes_of(session, scheme, list_version)})
    depth = depths(tree)
    codes = {code: (parent, depth[code]) for code, parent in tree.items()}
    await queries.keep_codes(session, scheme, list_version, codes)
    await queries.keep_code_names(session, scheme, list_version, language, names)
    return Loaded(len(names), sum(above is None for above in tree.values()))


async def load_units(
    session: AsyncSession, list_version: str, units: dict[str, UnitEntry]
) -> Loaded:
    """Names and symbols; what is known of conversions stays."""
    named = {code: (unit.name, unit.symbol) for code, unit in units.items()}
    await queries.keep_units(session, list_version, named)
    return Loaded(len(units), len(units))
