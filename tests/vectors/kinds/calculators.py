"""Formulas: inputs to an exact result, and hostile ones refused within 50 ms."""

from __future__ import annotations

import time
from typing import Any

from marketplace.kernel.formulas import (
    Bounds,
    FormulaError,
    parse,
    read_input,
    read_inputs,
    write_rounded,
)
from tests.vectors.cases import Case

HOSTILE = "hostile_"
HOSTILE_S = 0.05


def check(case: Case) -> None:
    began = time.perf_counter()
    answer = _computed(case.input)
    took = time.perf_counter() - began
    if case.name.startswith(HOSTILE):
        assert took < HOSTILE_S, f"took {took:.3f} s"
    assert answer == case.expected, f"expected {case.expected} got {answer}"


def _computed(asked: dict[str, Any]) -> dict[str, str]:
    try:
        formula = parse(asked["formula"], asked["inputs"])
        bounds = {name: _bounds(limits) for name, limits in asked["inputs"].items()}
        values = read_inputs(bounds, asked.get("values", {}))
        return {"result": write_rounded(formula.evaluate(values), asked.get("places", 2))}
    except FormulaError as wrong:
        return {"refused": wrong.code}


def _bounds(limits: dict[str, str]) -> Bounds:
    least, most = limits.get("min"), limits.get("max")
    return Bounds(
        None if least is None else read_input(least), None if most is None else read_input(most)
    )
