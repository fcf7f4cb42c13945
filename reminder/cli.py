"""The command line: parses and calls, nothing else. Expected errors become a sentence and an exit code."""

import functools
import gc
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from reminder import cli_guard
from reminder.cli_deadline import deadline
from reminder.cli_kit import Apply, Json, Language, settings_now, wait
from reminder.domain.errors import Faulty, Refused, ReminderError
from reminder.terminal import spoken

app = typer.Typer(
    help="Keeps the return-visit and deadline calendar of every open case. 事事有回音、件件有着落",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
protocols_app = typer.Typer(help="Protocols: what must happen by when.", no_args_is_help=True)
config_app = typer.Typer(help="Settings: what holds, and where it was set.", no_args_is_help=True)
templates_app = typer.Typer(help="Message templates.", no_args_is_help=True)
calendar_app = typer.Typer(help="Rest days and make-up workdays.", no_args_is_help=True)
app.add_typer(protocols_app, name="protocols")
app.add_typer(config_app, name="config")
app.add_typer(templates_app, name="templates")
app.add_typer(calendar_app, name="calendar")
cli_guard.add_to(app)
app.command("deadline")(deadline)

Promised = Annotated[int, typer.Option(help="Repeats how many dates told to residents would fall away.")]


def main() -> None:
    """Run the command line. Exit codes: 0 well, 1 something was found, 2 refused or malformed."""
    gc.set_threshold(
        50_000, 20, 100
    )  # most objects of a start stay; looking through them again costs a tenth
    try:
        app()
    except Faulty as faulty:
        for fault in faulty.faults:
            typer.echo(str(fault), err=True)
        raise SystemExit(2) from None
    except Refused as refused:
        typer.echo(_sentence(refused), err=True)
        raise SystemExit(2) from None
    except ReminderError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None


def _sentence(refused: Refused) -> str:
    from reminder.app import load_templates

    return load_templates(None, "en").refusal(refused, spoken())


@app.command()
def run(
    *,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Share the jobs with workers; needs PostgreSQL.")
    ] = False,
) -> None:
    """Keep the calendar: scheduler, bot and web together, until stopped."""
    if cluster:
        from reminder import workers

        wait(workers.work(settings_now(), functools.partial(typer.echo, err=True), doors=True))
        return
    from reminder import app as program

    wait(program.run(settings_now()))


@app.command()
def worker() -> None:
    """Do the jobs beside `reminder run --cluster`: any number of these, on any machine, until stopped."""
    from reminder import workers

    wait(workers.work(settings_now(), functools.partial(typer.echo, err=True)))


@app.command()
def demo(
    *,
    lang: Annotated[str, typer.Option(help="zh or en; default: this terminal's language.")] = "",
    as_of: Annotated[
        str, typer.Option(help="The day to play, YYYY-MM-DD; default: the next working day.")
    ] = "",
    port: Annotated[int, typer.Option(help="Port of the page; a busy one is passed over.")] = 8080,
    seed: Annotated[int, typer.Option(help="Same seed, same county.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Go on where the last demo stopped.")] = False,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
    headless: Annotated[
        bool, typer.Option("--headless", help="Play without a page, with seeded players.")
    ] = False,
    days: Annotated[int, typer.Option(help="How many days to play, with --headless.")] = 30,
    transcript: Annotated[Path | None, typer.Option(help="Where to write what phones received.")] = None,
) -> None:
    """See a county's casework office alive: a cadre's chat and a resident's phone, on one clock."""
    from reminder import logs
    from reminder.demo.play import Wish, play

    wish = Wish(
        lang=lang or spoken(),
        as_of=_day(as_of) if as_of else None,
        port=port,
        seed=seed,
        keep=keep,
        open_page=not no_open and sys.stdout.isatty(),
        days=days,
        transcript=transcript,
    )
    logs.configure(json=False, level="WARNING")
    wait(play(wish, headless=headless, say=typer.echo))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ReminderError(
            f"{text!r} is not a day. Write it like 2026-11-23; nothing was started."
        ) from None


@app.command("import")
def import_ledger(
    file: Annotated[Path, typer.Argument(help="The ledger: xlsx or csv.")],
    *,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write it. Without this nothing is written.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look (the default).")] = False,
    as_json: Json = False,
    out: Annotated[Path | None, typer.Option(help="Where the annotated ledger goes.")] = None,
    name: Annotated[str, typer.Option(help="Name of the ledger; default: the file's name.")] = "",
    answers: Annotated[
        Path | None,
        typer.Option(help='Answers: a JSON list of {"sheet", "row", "column", "choice"}, as --json asks.'),
    ] = None,
) -> None:
    """Read the office's own ledger. A dry run first; nobody is ever texted because of it."""
    from reminder import cli_import

    if apply and dry_run:
        raise ReminderError("Choose --dry-run or --apply, not both. Nothing was read or written.")
    wish = cli_import.Wish(file=file, apply=apply, as_json=as_json, out=out, name=name, answers=answers)
    wait(cli_import.import_ledger(wish, settings_now(), spoken()))


@app.command()
def check(as_json: Json = False) -> None:
    """Prove that every open case has a next date and a responsible person; exit 1 with the list if not."""
    from reminder import cli_office

    wait(cli_office.check(settings_now(), as_json=as_json))


@app.command()
def why(
    case: Annotated[str, typer.Argument(help="The case's number.")],
    *,
    as_json: Json = False,
    lang: Language = "",
) -> None:
    """Why every date of a case is what it is, who hears of it, and every message about it."""
    from reminder import cli_explain

    wait(cli_explain.why(settings_now(), case, as_json=as_json, lang=lang or spoken()))


@app.command()
def preview(
    *,
    days: Annotated[int, typer.Option(help="How many days ahead.")] = 14,
    unit: Annotated[str, typer.Option(help="Only this unit's cases and those below it: name or id.")] = "",
    as_json: Json = False,
    lang: Language = "",
) -> None:
    """The exact texts, recipients and SMS parts that will go, if nothing more happens."""
    from reminder import cli_explain

    wait(cli_explain.preview(settings_now(), days=days, unit=unit, as_json=as_json, lang=lang or spoken()))


@app.command("first-admin")
def first_admin(
    name: Annotated[str, typer.Option(help="The admin's name.")] = "Admin",
) -> None:
    """Print the first admin's one-time code, as a link and a QR code; it is good for 30 minutes."""
    from reminder import cli_office

    wait(cli_office.first_admin(settings_now(), name))


@app.command()
def migrate(
    *,
    queue: Annotated[
        bool, typer.Option("--queue", help="Make the workers' queue anew; nothing owed is in it.")
    ] = False,
) -> None:
    """Bring the database to this version (also done at every start)."""
    from reminder import cli_office

    wait(cli_office.migrate(settings_now(), queue=queue))


@calendar_app.command("import")
def calendar_import(
    file: Annotated[Path, typer.Argument(help="CSV (date,kind,name), ICS, or the JSON of holiday-cn.")],
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Do it. Without this nothing is written.")] = False,
    as_json: Json = False,
) -> None:
    """What rest days change in every open case; with --apply they change. Doing it again changes nothing."""
    from reminder import cli_calendar

    wait(cli_calendar.import_calendar(file, settings_now(), spoken(), apply=apply, as_json=as_json))


@calendar_app.command("check")
def calendar_check(as_json: Json = False) -> None:
    """How far rest days are known; exit 1 if a year is missing or cases have not followed yet."""
    from reminder import cli_calendar

    wait(cli_calendar.check(settings_now(), spoken(), as_json=as_json))


@protocols_app.command("check")
def protocols_check(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of protocol files; default: ours and yours.")
    ] = None,
) -> None:
    """Check every protocol file; faults with file, line and remedy."""
    from reminder import cli_office

    raise typer.Exit(cli_office.check_protocols(folder, settings_now()))


@protocols_app.command("migrate")
def protocols_migrate(
    key: Annotated[str, typer.Argument(help="The protocol's key, such as ordinary.")],
    *,
    apply: Apply = False,
    promised: Promised = 0,
    as_json: Json = False,
    lang: Language = "",
) -> None:
    """Put every case under way on a protocol's newest version; shows the exact difference first."""
    from reminder import cli_explain

    wish = cli_explain.Wish(key=key, apply=apply, promised=promised, as_json=as_json, lang=lang or spoken())
    wait(cli_explain.migrate(settings_now(), wish))


@protocols_app.command("change")
def protocols_change(
    case: Annotated[str, typer.Argument(help="The case's number.")],
    key: Annotated[str, typer.Argument(help="The protocol's key, such as urgent.")],
    *,
    apply: Apply = False,
    promised: Promised = 0,
    as_json: Json = False,
    lang: Language = "",
) -> None:
    """Put one case under another protocol or version; shows the exact difference first."""
    from reminder import cli_explain

    wish = cli_explain.Wish(key=key, apply=apply, promised=promised, as_json=as_json, lang=lang or spoken())
    wait(cli_explain.change_case(settings_now(), case, wish))


@templates_app.command("check")
def templates_check(
    folder: Annotated[Path | None, typer.Argument(help="A folder with your own templates.")] = None,
) -> None:
    """Check every message template: placeholders, length, tone, both languages."""
    from reminder import cli_office

    raise typer.Exit(cli_office.check_templates(folder, settings_now()))


@config_app.command("show")
def config_show() -> None:
    """Every setting with its value and where it was set; secrets are masked."""
    for line in settings_now().shown():
        typer.echo(f"{line.key} = {line.value}    # {line.source}")


@app.command()
def version() -> None:
    """Print the version."""
    from reminder import __version__

    typer.echo(f"reminder {__version__}")


if __name__ == "__main__":
    main()
