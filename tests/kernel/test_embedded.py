"""The embedded servers start wherever the project lies."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pytest

from marketplace.kernel.embedded import servers


def test_programs_run_from_a_copy_where_another_user_cannot_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_traversable", lambda _: False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    install = servers._postgres_binaries().parent
    copy = servers._reachable(install, 0)
    assert copy.is_relative_to(tmp_path)
    for program in ("initdb", "postgres"):
        # The libraries beside the package come along, or the loader refuses to start it.
        told = subprocess.run(
            [copy / "bin" / program, "--version"], capture_output=True, text=True, check=True
        )
        assert "PostgreSQL" in told.stdout
    assert servers._reachable(install, 0) == copy


def test_who_copies_second_uses_the_first_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_traversable", lambda _: False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    install = tmp_path / "site" / "package" / "pginstall18"
    (install / "bin").mkdir(parents=True)
    first = servers._reachable(install, 0)
    # Another process looked before the first copy was there.
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert servers._reachable(install, 0) == first
    assert not list(tmp_path.glob("*-2?*"))
