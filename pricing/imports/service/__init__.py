"""Use cases of uploads; workers do the rest."""

from pricing.imports.service.details import (
    diff,
    findings,
    import_rows,
    remember_columns,
    remember_reading,
)
from pricing.imports.service.life import begin, browse, cancel, commit, own, roll_back, show

__all__ = [
    "begin",
    "browse",
    "cancel",
    "commit",
    "diff",
    "findings",
    "import_rows",
    "own",
    "remember_columns",
    "remember_reading",
    "roll_back",
    "show",
]
