"""Where are the project's own folders: beside the package in a checkout, inside it in the wheel?"""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder `name` ("templates", "alembic"). FileNotFoundError if this installation lacks it."""
    for home in (_PACKAGE / "_bundled", _PACKAGE.parent):
        if (home / name).is_dir():
            return home / name
    raise FileNotFoundError(f"this installation has no folder {name!r}; install it again")
