"""The published cases beside these tests, by file and id."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "vectors"


def cases(name: str) -> dict[str, dict[str, Any]]:
    """id -> case of `vectors/{name}.json`."""
    whole = json.loads((FOLDER / f"{name}.json").read_text())
    return {case["id"]: case for case in whole["cases"]}


def cents(text: str) -> int:
    """A decimal text as minor units; also `"50"`."""
    value = Fraction(text) * 100
    assert value.denominator == 1
    return value.numerator
