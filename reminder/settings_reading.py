"""Where does each setting come from (file, environment, secret files), and what is wrong with any of it?"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from reminder.domain.errors import Fault, Faulty
from reminder.domain.toml_tables import Table, read_toml
from reminder.settings import KeyPath, Settings, is_secret, leaves
from reminder.settings_values import likeliest

PREFIX = "REMINDER_"
DATA_DIR, CONFIG = "REMINDER_DATA_DIR", "REMINDER_CONFIG"
NOT_SETTINGS = frozenset({DATA_DIR, CONFIG, "REMINDER_FAILPOINT"})

_KINDS = {
    "int": "a whole number",
    "bool": "true or false",
    "string": "a text in quotes",
    "path": "the name of a file",
    "tuple": "a list of texts",
}
"""What a value should have been, by the first word of pydantic's error type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One value as somebody wrote it, and where."""

    value: object
    place: str


@dataclass(slots=True)
class _Reading:
    """Everything found so far; the environment beats the file."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    given: dict[KeyPath, Given] = field(default_factory=dict)

    def fault(self, place: str, what: str, remedy: str) -> None:
        self.faults.append(Fault(place=place, what=what, remedy=remedy))


def load(env: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process: its environment over the settings file over the defaults.

    A missing settings file is an empty one unless REMINDER_CONFIG names it. Nothing is created.
    Raises Faulty with every fault at once.
    """
    env = os.environ if env is None else env
    data_dir, config = data_dir_of(env), config_of(env)
    reading = _Reading()
    _defaults(data_dir, reading)
    _read_file(config, reading, must_exist=bool(env.get(CONFIG)))
    _read_environment(env, reading)
    _check_together(reading)
    found = _validated(reading, data_dir=data_dir, config_file=config)
    if found is not None:
        _check_files(found, reading)
    if found is None or reading.faults:
        raise Faulty(reading.faults)
    places = {path: given.place for path, given in reading.given.items()}
    return found.came_from(places, tuple(reading.warnings))


def data_dir_of(env: Mapping[str, str]) -> Path:
    """Where database, key and settings live unless said otherwise."""
    if named := env.get(DATA_DIR):
        return Path(named).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("reminder", appauthor=False)


def config_of(env: Mapping[str, str]) -> Path:
    """The settings file, there or not."""
    named = env.get(CONFIG)
    return Path(named).expanduser().absolute() if named else data_dir_of(env) / "reminder.toml"


def env_name(path: KeyPath) -> str:
    """("office", "name") is REMINDER_OFFICE__NAME."""
    return PREFIX + "__".join(path).upper()


def _defaults(data_dir: Path, reading: _Reading) -> None:
    url = f"sqlite+aiosqlite:///{(data_dir / 'reminder.db').as_posix()}"
    reading.given["database", "url"] = Given(value=url, place="default")
    reading.given["files", "key"] = Given(value=str(data_dir / "key"), place="default")


def _names() -> dict[KeyPath, KeyPath]:
    """Every name that may be written, and the setting it means."""
    names: dict[KeyPath, KeyPath] = {path: path for path, _ in leaves()}
    files = {(*path[:-1], path[-1] + "_file"): path for path in names if is_secret(path)}
    return {**names, **files}


def _read_file(config: Path, reading: _Reading, *, must_exist: bool) -> None:
    try:
        text = config.read_text("utf-8")
    except FileNotFoundError:
        if must_exist:
            reading.fault(CONFIG, f"There is no file {config}.", "Mend the name, or unset it.")
        return
    except UnicodeDecodeError:
        reading.fault(str(config), "This is not UTF-8 text.", "Save it as UTF-8.")
        return
    except OSError as error:
        reading.fault(
            str(config), f"It cannot be read ({error.strerror}).", "Check its name and permissions."
        )
        return
    top = read_toml(str(config), text, reading.faults)
    if top is None:
        return
    written = {path: Given(value=value, place=place) for path, value, place in _walk(top, set(_names()))}
    if any(is_secret(path) and _opens(given.value) for path, given in written.items()):
        _warn_if_open(config, reading)
    _take(written, config.parent, reading)


def _opens(value: object) -> bool:
    """Whether a secret setting has a secret in it; an address without a password has none."""
    return "://" not in str(value) or "@" in str(value)


def _walk(table: Table, names: set[KeyPath]) -> Iterator[tuple[KeyPath, object, str]]:
    """Every known key of a table and the tables in it, with its place; the others become faults."""
    above = tuple(str(part) for part in table.path)
    known = {path[len(above)] for path in names if path[: len(above)] == above}
    table.only(known)
    for key in known & set(table.values):
        path = (*above, key)
        if path in names:
            yield path, table.values[key], _place(table, key)
        elif (below := table.table(key)) is not None:
            yield from _walk(below, names)


def _place(table: Table, key: str) -> str:
    path = (*table.path, key)
    while path and path not in table.lines:  # inside an inline table: its parent's line
        path = path[:-1]
    return f"{table.name}:{table.lines.get(path, 1)}"


def _read_environment(env: Mapping[str, str], reading: _Reading) -> None:
    names = {env_name(path): path for path in _names()}
    written: dict[KeyPath, Given] = {}
    for name in sorted(env):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS or not env[name]:
            continue
        if name in names:
            written[names[name]] = Given(value=env[name], place=name)
        else:
            remedy = likeliest(name, [*names, *NOT_SETTINGS])
            reading.fault(name, "No setting is called this.", remedy or "Take it out.")
    _take(written, Path.cwd(), reading)


def _take(written: Mapping[KeyPath, Given], folder: Path, reading: _Reading) -> None:
    """Keep one source's values over the earlier ones; secret files are opened, file names made whole."""
    for name, meant in _names().items():
        if (given := written.get(name)) is None:
            continue
        if name != meant:
            if meant in written:
                what = f"{written[meant].place} says it already."
                reading.fault(given.place, what, "Keep one of the two.")
            given = _secret(given, folder, reading)
        elif meant[0] == "files" and isinstance(given.value, str):
            given = Given(value=str(folder / Path(given.value).expanduser()), place=given.place)
        reading.given[meant] = given


def _secret(given: Given, folder: Path, reading: _Reading) -> Given:
    """What the named file holds. A fault gives None, which every secret may be."""
    nothing = Given(value=None, place=given.place)
    if not isinstance(given.value, str):
        reading.fault(given.place, "This is not the name of a file.", "Put the file's name in quotes.")
        return nothing
    file = folder / Path(given.value).expanduser()
    try:
        secret = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        reading.fault(given.place, f"{file} cannot be read ({why}).", "Check its name and permissions.")
        return nothing
    if not secret:
        reading.fault(given.place, f"{file} is empty.", "Write the secret into it.")
        return nothing
    _warn_if_open(file, reading)
    return Given(value=secret, place=f"{given.place} ({file})")


def _warn_if_open(file: Path, reading: _Reading) -> None:
    if os.name == "posix" and file.stat().st_mode & 0o004:
        what = "Everybody on this machine can read this secret."
        reading.warnings.append(Fault(place=str(file), what=what, remedy=f"Run: chmod 600 {file}"))


def _check_together(reading: _Reading) -> None:
    """What one setting needs of another; asked of what was written, so that it is told with the rest."""
    needed: list[KeyPath] = [("twilio", key) for key in ("account_sid", "auth_token", "sender")]
    present = [path for path in needed if path in reading.given]
    if not present:
        return
    first = reading.given[present[0]].place
    missing = [".".join(path) for path in needed if path not in reading.given]
    if missing:
        what = f"Texts need {' and '.join(missing)} as well."
        reading.fault(first, what, "Add what is missing, or take the others out to leave texts off.")
    if ("web", "public_url") not in reading.given:
        what = "Twilio reports what became of a text to web.public_url, and it is not set."
        reading.fault(first, what, 'Set it to the address the outside sees: "https://reminder.example.org".')


def _validated(reading: _Reading, **more: object) -> Settings | None:
    tree: dict[str, Any] = dict(more)
    for path, given in reading.given.items():
        if given.value is None:
            continue
        below = tree
        for name in path[:-1]:
            below = below.setdefault(name, {})
        below[path[-1]] = given.value
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        infos = dict(leaves())
        told: set[KeyPath] = set()
        for wrong in error.errors(include_url=False):
            path = next(path for path in infos if wrong["loc"][: len(path)] == path)
            if reading.given[path].value is not None and path not in told:
                told.add(path)
                reading.faults.append(_fault(path, infos[path], dict(wrong), reading.given[path]))
        return None


def _fault(path: KeyPath, info: FieldInfo, wrong: Mapping[str, Any], given: Given) -> Fault:
    key = ".".join(path)
    said = key if is_secret(path) else f"{key} = {given.value!r}"
    told = wrong.get("ctx", {})
    example = info.examples[0] if info.examples else None
    match str(wrong["type"]):
        case "unfit":
            what, remedy = told["what"], told["remedy"]
        case "greater_than_equal" | "less_than_equal":
            what, remedy = "is out of range", _range(info)
        case "literal_error":
            choices = told["expected"].replace("'", '"')
            what, remedy = "is not one of the choices", f"Use {choices}."
        case "string_pattern_mismatch":
            what, remedy = "is not written as it should be", f'Write it as "{example}".'
        case kind:
            wanted = _KINDS.get(kind.partition("_")[0], "what belongs here")
            what, remedy = f"is not {wanted}", f"Write {path[-1]} = {_usual(info)}."
    return Fault(place=given.place, what=f"{said} {what}.", remedy=remedy or "See docs/running.md.")


def _range(info: FieldInfo) -> str:
    least, most = (next(getattr(m, k) for m in info.metadata if hasattr(m, k)) for k in ("ge", "le"))
    return f"Choose from {least} to {most}."


def _usual(info: FieldInfo) -> str:
    """An example of a right value."""
    match info.default:
        case bool():
            return str(info.default).lower()
        case int():
            return str(info.default)
        case tuple():
            return str(list(info.default)).replace("'", '"')
        case str() if info.default:
            return f'"{info.default}"'
        case _:
            return '"…"'


def _check_files(found: Settings, reading: _Reading) -> None:
    """The office's own files must be there; only the key is made when missing."""
    templates, calendar = found.files.templates, found.files.calendar
    if templates is not None and not templates.is_dir():
        place = reading.given["files", "templates"].place
        reading.fault(place, f"There is no folder {templates}.", "Mend the name, or take it out.")
    if calendar is not None and not calendar.is_file():
        place = reading.given["files", "calendar"].place
        reading.fault(place, f"There is no file {calendar}.", "Mend the name, or take it out.")
    if found.files.key.is_file():
        _warn_if_open(found.files.key, reading)
