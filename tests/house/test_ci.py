"""What must not pass unseen in CI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import find_browser


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("no_programs")
def test_browser_tests_fail_in_ci_without_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no Chromium"):
        find_browser()


@pytest.mark.usefixtures("no_programs")
def test_browser_tests_are_skipped_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Chromium"):
        find_browser()


def test_ci_says_that_it_is_ci(repository: Path) -> None:
    assert "export CI=true" in (repository / ".ci" / "run").read_text()
