"""Files of cases: which kind a file is, and the module that runs such cases.

A kind is one module in `tests/vectors/kinds` with one of these functions, plain or async:

    run(case: Case) -> object     what the product answers; it must equal `case.expected`
    check(case: Case) -> None     where a case has no single `expected`; raises AssertionError
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from tests.vectors import kinds
from tests.vectors.world import World

REASON_CHARS_MAX = 2_000
"""Of one failure: enough for both sides of a case, and a broken case does not bury the others."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """name    unique in its file
    whole   the case as it stands in the file
    folder  what file names in the case are relative to
    world   servers, started when a case first asks for them
    """

    name: str
    whole: dict[str, Any]
    folder: Path
    world: World

    @property
    def input(self) -> Any:
        return self.whole["input"]

    @property
    def expected(self) -> Any:
        return self.whole["expected"]


def known_kinds() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(kinds.__path__)}


def kind_of(file: Path) -> str:
    """The file's name up to the first dot, else the folder's name. Raises LookupError."""
    for name in (file.name.partition(".")[0], file.absolute().parent.name):
        if name in known_kinds():
            return name
    raise LookupError(f"no kind of this name; known: {', '.join(sorted(known_kinds()))}")


def title_of(file: Path) -> str:
    """What the report calls the file: `tiers`, `tiers.more`, `cxml_oci`."""
    own = file.name.partition(".")[0] in known_kinds()
    return file.name.removesuffix(".json") if own else kind_of(file)


def load(file: Path, world: World) -> list[Case]:
    """Raises OSError, ValueError, KeyError for a file that is not one of cases."""
    return [
        Case(
            name=str(whole.get("name") or whole["id"]),
            whole=whole,
            folder=file.absolute().parent,
            world=world,
        )
        for whole in json.loads(file.read_text())["cases"]
    ]


def module_of(kind: str) -> ModuleType:
    return importlib.import_module(f"tests.vectors.kinds.{kind}")


async def failure(module: ModuleType, case: Case) -> str | None:
    """None when the case passes, else what differs."""
    try:
        if not hasattr(module, "run"):
            await _called(module.check, case)
            return None
        answer = await _called(module.run, case)
    except Exception as error:  # noqa: BLE001  # one broken case must not end the others
        return f"{type(error).__name__}: {error}"[:REASON_CHARS_MAX]
    if answer == case.expected:
        return None
    return f"expected {_short(case.expected)} got {_short(answer)}"


async def _called(function: Any, case: Case) -> Any:
    answer = function(case)
    return await answer if inspect.isawaitable(answer) else answer


def _short(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    half = REASON_CHARS_MAX // 2
    return text if len(text) <= half else f"{text[:half]}…"
