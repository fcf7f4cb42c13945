"""Does the tree keep the house's measures, and hide nothing that would surprise its next reader?"""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_FILE, LONGEST_FUNCTION = 400, 40
PROGRAM = sorted(path for name in ("reminder", "jobs") for path in (ROOT / name).rglob("*.py"))
OF_A_MACHINE = re.compile(
    r"/(?:root)/|/home/[a-z]+/|/Users/[a-z]+/|/opt/|/work(?:/|space)|files\.pythonhosted|\bpypi\.org/simple|"
    r"^--(?:extra-)?index-url|^--find-links|trusted-host",
    re.MULTILINE | re.IGNORECASE,
)

TIME_AND_CHANCE = {
    "datetime.now": {"reminder/clock.py", "reminder/sandbox/__main__.py"},
    "datetime.utcnow": set[str](),
    "datetime.today": set[str](),
    "date.today": set[str](),
    "time.time": set[str](),
    "time.monotonic": {"reminder/clock.py"},
    "time.perf_counter": set[str](),
    # Row ids that sealed values are bound to; nobody decides anything by them.
    "uuid.uuid4": {
        "reminder/instance.py",
        "reminder/store/inbox.py",
        "reminder/store/people.py",
        "reminder/store/residents.py",
    },
    "os.urandom": {"reminder/store/seal.py"},
    "secrets.token_hex": {"reminder/store/seal.py"},
    # The one source of new ids and codes, handed to every action.
    "secrets.token_urlsafe": {"reminder/app.py"},
}
"""Where the program may ask what time it is or throw dice; everywhere else the answer is an argument."""

DICE = ("reminder/sandbox/", "reminder/demo/")
"""A play may throw dice of its own, from a seed."""


def tracked() -> list[Path]:
    """Files of the repository, or of the folder where there is none."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    names = listed.stdout.splitlines() if listed.returncode == 0 else []
    files = [ROOT / name for name in names] or list(ROOT.rglob("[!.]*"))
    hidden = re.compile(r"(^|/)(\.(?!ci/)|__pycache__|dist/)")
    return [path for path in files if path.is_file() and not hidden.search(name_of(path))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def python_files() -> list[Path]:
    """What people wrote to be read: not generated migrations, not tests, whose names say everything."""
    files = [path for path in tracked() if path.suffix == ".py"]
    return [path for path in files if not name_of(path).startswith(("alembic/versions/", "tests/"))]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_files_are_short() -> None:
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in PROGRAM}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    long = {
        f"{name_of(path)}:{node.name}": node.end_lineno - node.lineno + 1
        for path in PROGRAM
        for node in functions(path)
        if node.end_lineno and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    }
    assert long == {}


def test_every_module_says_in_one_sentence_what_it_answers() -> None:
    silent = []
    for path in python_files():
        text = path.read_text("utf-8")
        is_empty_package = path.name == "__init__.py" and not text.strip()
        words = "Nothing." if is_empty_package else ast.get_docstring(ast.parse(text))
        first = (words or "").split("\n")[0]
        if not first.endswith((".", "?", ".)", "?)")):
            silent.append(name_of(path))
    assert silent == []


def test_time_and_chance_are_asked_in_few_places() -> None:
    found = {
        (call, name_of(path))
        for path in PROGRAM
        for call in calls_of(path.read_text("utf-8"), TIME_AND_CHANCE)
    }
    allowed = {(call, place) for call, places in TIME_AND_CHANCE.items() for place in places}
    assert found == allowed, "also an allowance nobody needs is one too many"


def calls_of(source: str, names: dict[str, set[str]]) -> set[str]:
    """Which of these dotted names are used, however their module was imported."""
    tree = ast.parse(source)
    said = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            said |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if any(word == name or word.endswith("." + name) for word in said)}


def test_only_plays_throw_dice() -> None:
    dice = {
        name_of(path) for path in PROGRAM if re.search(r"^\s*(import|from) random\b", path.read_text(), re.M)
    }
    assert [name for name in dice if not name.startswith(DICE)] == []


def _read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_no_file_tells_of_the_machine_it_was_written_on() -> None:
    told = {}
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if path != Path(__file__) and (found := OF_A_MACHINE.search(text)):
            told[name_of(path)] = found[0]
    assert told == {}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_package_by_hash_and_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 50
    assert [entry.split()[0] for entry in entries if not re.match(r"[\w.-]+==\S", entry)] == []
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_locks_agree() -> None:
    run, dev = (
        set(re.findall(r"^[\w.-]+==\S+", _read(name), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert run <= dev


def test_every_top_level_module_has_its_layer() -> None:
    contracts = tomllib.loads(_read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layered = set(re.findall(r"[\w.]+", " ".join(contracts[0]["layers"])))
    modules = {f"reminder.{path.stem}" for path in (ROOT / "reminder").glob("*.py")} - {"reminder.__init__"}
    packages = {f"reminder.{path.parent.name}" for path in (ROOT / "reminder").glob("*/__init__.py")}
    # The sandbox stands beside them all: a contract of its own says that nobody but the demo knows it.
    assert layered == (modules | packages | {"jobs"}) - {"reminder.sandbox"}


def test_the_folder_of_migrations_does_not_hide_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
