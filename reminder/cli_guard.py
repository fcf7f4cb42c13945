"""The commands by which an office is set up, examined, stopped, let go, copied and put back."""

from pathlib import Path
from typing import Annotated

import typer

from reminder.cli_kit import Apply, Json, Language, settings_now, wait
from reminder.terminal import spoken


def add_to(app: typer.Typer) -> None:
    """Under the names people type."""
    for name, command in (
        *(("init", init), ("doctor", doctor), ("arm", arm), ("live", live)),
        *(("test-mode", test_mode), ("stop", stop), ("go", go)),
    ):
        app.command(name)(command)
    members = typer.Typer(help="Numbers of the team, for test mode.", no_args_is_help=True)
    members.command("add")(members_add)
    members.command("remove")(members_remove)
    app.add_typer(members, name="members")
    backup = typer.Typer(help="Copies of the database.", no_args_is_help=True)
    backup.command("create")(backup_create)
    backup.command("verify")(backup_verify)
    backup.command("restore")(backup_restore)
    app.add_typer(backup, name="backup")


def init(
    *,
    lang: Language = "",
    ask: Annotated[bool, typer.Option("--ask/--no-ask", help="Ask question by question.")] = True,
    timezone: Annotated[str, typer.Option(help="Without asking: the office's time zone.")] = "",
    name: Annotated[str, typer.Option(help="Without asking: the office's name.")] = "",
) -> None:
    """Set up an office: a few questions, each may be skipped; ends in test mode. Again: nothing is lost."""
    from reminder import cli_init, cli_office

    given = {"office.timezone": timezone, "office.name": name}
    settings = cli_init.init(lang or spoken(), ask=ask, given=given)
    if ask and settings.telegram.token is not None:
        wait(cli_office.first_admin(settings, "Admin"))


def doctor(as_json: Json = False) -> None:
    """Look at everything a running office needs; exit 1 with what is wrong and what to do about it."""
    from reminder import logs
    from reminder.cli_doctor import doctor as examine
    from reminder.settings_reading import load

    logs.configure(json=False, level="ERROR")
    wait(examine(load, as_json=as_json))


def arm(
    *, approve: Annotated[bool, typer.Option("--approve", help="Arm it for this machine.")] = False
) -> None:
    """After a copy or a restore: show what waits, then let this machine send. Nothing overdue is sent."""
    from reminder import cli_safety

    wait(cli_safety.arm(settings_now(), approve=approve))


def live(
    *,
    apply: Apply = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Go live with open points.")] = False,
) -> None:
    """The list before going live; with --apply residents get texts from now on."""
    from reminder import cli_safety

    wait(cli_safety.live(settings_now(), apply=apply, anyway=anyway))


def test_mode() -> None:
    """Back to test mode: texts go only to the team's numbers."""
    from reminder import cli_safety

    wait(cli_safety.test_mode(settings_now()))


def stop(
    name: Annotated[str, typer.Argument(help="sms, telegram, all, or the name of a unit.")],
    why: Annotated[str, typer.Option(help="Why; shown to everybody who asks.")],
) -> None:
    """Let nothing of it leave the house until `reminder go`; clocks run on."""
    from reminder import cli_safety

    wait(cli_safety.hold(settings_now(), name, why))


def go(name: Annotated[str, typer.Argument(help="What was stopped.")]) -> None:
    """Let it leave again."""
    from reminder import cli_safety

    wait(cli_safety.hold(settings_now(), name, None))


def members_add(number: Annotated[str, typer.Argument(help="A number of the team.")]) -> None:
    """In test mode this number gets texts."""
    from reminder import cli_safety

    wait(cli_safety.members(settings_now(), number, member=True))


def members_remove(number: Annotated[str, typer.Argument(help="A number of the team.")]) -> None:
    """In test mode this number gets no texts any more."""
    from reminder import cli_safety

    wait(cli_safety.members(settings_now(), number, member=False))


def backup_create(
    to: Annotated[Path | None, typer.Option(help="The file; default: in the data folder.")] = None,
) -> None:
    """A whole copy of the database, also while it is in use."""
    from reminder import cli_safety

    cli_safety.create_backup(settings_now(), to)


def backup_verify(copy: Annotated[Path, typer.Argument(help="The copy.")]) -> None:
    """Open a copy and prove that it is whole."""
    from reminder import cli_safety

    cli_safety.verify_backup(copy)


def backup_restore(copy: Annotated[Path, typer.Argument(help="The copy.")]) -> None:
    """Put a copy in the database's place; what was there is kept. It comes back disarmed."""
    from reminder import cli_safety

    cli_safety.restore_backup(settings_now(), copy)
