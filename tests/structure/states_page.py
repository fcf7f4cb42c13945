"""Draws docs/states.md from the program's tables: python -m tests.structure.states_page > docs/states.md."""

from reminder.domain import cases, reminders
from reminder.domain.entries import OPEN_STATES, EntryStatus
from reminder.domain.visits import ENDS


def page() -> str:
    lines = [
        "# States",
        "",
        "Drawn from the tables in `reminder/domain`; a test compares. 由程序里的表画出，有测试核对。",
        "",
        "## A case",
        "",
        "| event | from | to |",
        "|---|---|---|",
    ]
    for event, (states, to) in cases.MOVES.items():
        lines.append(f"| `{event}` | {', '.join(sorted(states))} | {to} |")
    late = ", ".join(f"`{event}`" for event in sorted(cases.OF_CASES_UNDER_WAY))
    lines += ["", "Any other event may be recorded in any state and leaves it alone.", ""]
    lines += [f"Refused of a case that has ended: {late}.", "", "## A visit", ""]
    lines.append("Open: " + ", ".join(sorted(OPEN_STATES)) + ".")
    lines += ["", "| event | to |", "|---|---|"]
    visits = {event.value: status.value for event, status in ENDS.items()}
    visits |= {
        "propose": EntryStatus.PROPOSED.value,
        "confirm": EntryStatus.CONFIRMED.value,
        "ask_other_day": EntryStatus.PROPOSED.value,
        "move": EntryStatus.PROPOSED.value,
        "not_met": f"{EntryStatus.PROPOSED.value}, seven days on; after the second time by phone",
        "missed": EntryStatus.MISSED.value,
    }
    lines += [f"| `{event}` | {to} |" for event, to in sorted(visits.items())]
    lines += ["", "## A reminder", "", "| from | to |", "|---|---|"]
    for state, targets in reminders.MOVES.items():
        lines.append(f"| {state} | {', '.join(sorted(targets))} |")
    ended = ", ".join(sorted(reminders.TERMINAL))
    return "\n".join([*lines, "", f"Terminal: {ended}. Telegram also ends at `sent`.", ""])


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - it writes a file by way of the shell
