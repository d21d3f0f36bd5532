"""The master secret of a marketplace that was given none: a file beside the data folder.

Beside, not inside: a copy of the folder is a copy of the database, and with the secret in it every
sealed offer could be read from the copy. `DIR.secret` is readable by its owner only.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from marketplace.kernel.secret import Secret

MODE = 0o600


def path_of(data_dir: Path) -> Path:
    """`var.secret` for `var`."""
    whole = data_dir.resolve()
    return whole.with_name(f"{whole.name}.secret")


def next_path_of(data_dir: Path) -> Path:
    """Where a rotation keeps the new secret until everything is sealed by it."""
    return path_of(data_dir).with_suffix(".secret-next")


def read_or_make(data_dir: Path) -> Secret:
    """The secret, made at the first call; the next one may open too while a rotation is unfinished.
    Raises OSError.
    """
    path, former = path_of(data_dir), data_dir / "secret"
    if not path.exists() and former.exists():
        # Where earlier releases kept it.
        former.rename(path)
    if not path.exists():
        make(path)
    following = next_path_of(data_dir)
    return Secret(_read(path), _read(following) if following.exists() else "")


def make(path: Path) -> str:
    """A new secret in `path`, or the one that another process has just put there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
    with os.fdopen(handle, "w") as file:
        file.write(os.urandom(32).hex())
        file.flush()
        os.fsync(file.fileno())
    # A link appears whole or not at all, and never replaces a secret.
    with contextlib.suppress(FileExistsError):
        os.link(beside, path)
    beside.unlink()
    return _read(path)


def _read(path: Path) -> str:
    if path.stat().st_mode & 0o077:
        path.chmod(MODE)
    secret = path.read_text().strip()
    if not secret:
        raise OSError(f"{path} is empty; put the master secret back into it.")
    return secret
