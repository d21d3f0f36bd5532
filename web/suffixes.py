"""Files of an object at its address with a suffix: `/api/v1/acts/{id}.pdf`."""

from __future__ import annotations

import re
from typing import Any

_FILE = re.compile(r"(/api/v1/acts/[0-9a-fA-F-]{36})\.(pdf|xml)")


def without_suffix(scope: Any) -> Any:
    """The router's parameters are whole parts of a path, so `….pdf` is routed as `…/pdf`."""
    if scope["type"] != "http":
        return scope
    match = _FILE.fullmatch(scope["path"])
    if match is None:
        return scope
    path = f"{match[1]}/{match[2]}"
    return scope | {"path": path, "raw_path": path.encode()}
