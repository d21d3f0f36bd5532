"""Falling prices drawn in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

COLUMNS, ROWS = 72, 14
MARKS = "●○"


class Curve(msgspec.Struct, frozen=True):
    """A step curve: each point's value holds until the next; points rise in the first number."""

    name: str
    points: list[tuple[float, float]]


def draw(curves: Sequence[Curve], columns: int = COLUMNS, rows: int = ROWS) -> list[str]:
    """The curves on one scale, at most two, as lines of text with axes and a legend."""
    points = [point for curve in curves for point in curve.points]
    if not points:
        return ["(no prices)"]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)
    canvas = [[" "] * columns for _ in range(rows)]
    for curve, mark in zip(curves, MARKS, strict=False):
        for column in range(columns):
            value = _at(curve, left + (right - left) * column / (columns - 1))
            if value is not None:
                row = round((high - value) / ((high - low) or 1) * (rows - 1))
                canvas[row][column] = mark
    width = len(f"{high:,.2f}")
    labels = {0: f"{high:,.2f}", rows - 1: f"{low:,.2f}"}
    lines = [f"{labels.get(n, ''):>{width}} ┤{''.join(row)}" for n, row in enumerate(canvas)]
    lines.append(f"{'':>{width}} └{'─' * columns}")
    lines.append(f"{'':>{width}}  {f'{left:.0f} s':<{columns - 10}}{f'{right:.0f} s':>10}")
    legend = zip(MARKS, curves, strict=False)
    lines.append("  ".join(f"{mark} {curve.name}" for mark, curve in legend))
    return lines


def _at(curve: Curve, x: float) -> float | None:
    value = None
    for start, y in curve.points:
        if start > x:
            break
        value = y
    return value
