"""What do all commands share: the settings of this process, common options, an exit code in the end?"""

from collections.abc import Coroutine
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Language = Annotated[str, typer.Option("--lang", help="zh or en; default: this terminal's language.")]
Apply = Annotated[bool, typer.Option("--apply", help="Do it. Without this nothing is changed.")]


def settings_now() -> Any:
    from reminder import logs
    from reminder.settings_reading import load

    settings = load()
    logs.configure(json=settings.log.json_lines, level=settings.log.level)
    return settings


def wait(work: Coroutine[Any, Any, int | None]) -> None:
    """Run to the end; a positive number becomes the exit code."""
    import asyncio

    code = asyncio.run(work)
    if code:
        raise typer.Exit(code)
