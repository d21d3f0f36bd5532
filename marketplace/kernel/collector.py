"""The garbage collector of a long-running node."""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 50_000


def settle() -> None:
    """Call once after start-up: what lives now lives for ever and is not walked again.

    Bids make no cycles, so frequent collections only cost time (about a tenth of a busy node's).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)
