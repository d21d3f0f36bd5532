"""One child process that serves on a socket: start, wait until it answers, stop, kill, freeze."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
_POLL_S = 0.01


class EmbeddedError(Exception):
    """An embedded server could not be started; the text is one line for the operator."""


class Server:
    """A child process. `answers` tells whether it serves; `stop_signal` asks it to end in good
    order.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        stop_signal: signal.Signals,
        answers: Callable[[], bool],
        uid: int | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self._command = list(command)
        self._log = log
        self._stop_signal = stop_signal
        self._answers = answers
        self._uid = uid
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it answers. Raises EmbeddedError with the last log line."""
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C at the terminal must reach us first, not the servers
            # under us.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._cwd,
                user=self._uid,
                group=self._uid,
                extra_groups=[] if self._uid else None,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise EmbeddedError(f"{self.name} did not start: {_last_line(self._log)}")
            time.sleep(_POLL_S)  # waiting for a foreign process is the point here

    def stop(self) -> None:
        """End in good order, by force after STOP_TIMEOUT_S."""
        if self._process is None or self._process.poll() is not None:
            return
        self.thaw()
        self._process.send_signal(self._stop_signal)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """The plug: SIGKILL to the process and all its children."""
        if self._process is None or self._process.poll() is not None:
            return
        self._signal(signal.SIGKILL)
        self._process.wait()

    def freeze(self) -> None:
        """SIGSTOP to the process and its children: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        # PostgreSQL's backends are sessions of their own, so a signal to the group would miss them.
        parent = psutil.Process(self.pid)
        for process in [parent, *parent.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no log output"
