"""The threads that work on columns, and no more of them: each keeps what memory it has once used,
so with a thread for every call a worker would grow with the number of calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

THREADS = 2

_P = ParamSpec("_P")
_T = TypeVar("_T")
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="prices")


async def in_thread(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """What `work` returns, or raises, while the event loop goes on."""

    def guarded() -> _T:
        try:
            return work(*args, **kwargs)
        except Exception:
            raise
        except BaseException as panic:
            # A panic of a Rust library is no Exception and would end the whole worker.
            raise RuntimeError(f"A library gave up: {panic}") from panic

    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_pool, guarded)
