"""Which language does this terminal speak?"""

import os


def spoken() -> str:
    """ "zh" or "en", from the locale variables in the order POSIX gives them."""
    said = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if said.lower().startswith("zh") else "en"
