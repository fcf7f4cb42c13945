"""Where is a process killed, in which scenario, and what must hold after a death there?"""

from dataclasses import dataclass

MORNING = "morning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One named place. `scenario` passes it; `also` goes wrong beside the death."""

    scenario: str = MORNING
    file: bool = False
    """Passed only where the database is a file."""
    also: str = ""
    """Of a morning: `lose` (both providers take two messages and do not answer), `fail` (they do not even
    take them), `deaf` (nothing reaches one colleague at first), `hook` (updates are posted), `later` (the
    day's list changes once it is there); a space between."""


_PLAIN = Place()
_LOSE, _FAIL, _HOOK = Place(also="lose"), Place(also="fail"), Place(also="hook")


def _of(scenario: str, *names: str, file: bool = False) -> dict[str, Place]:
    return {f"{scenario}.{name}": Place(scenario=scenario, file=file) for name in names}


PLACES: dict[str, Place] = {
    "remind.before_begin": _PLAIN,
    "remind.after_digest_row": _PLAIN,
    "remind.after_rows": _PLAIN,
    "remind.before_commit": _PLAIN,
    "remind.after_commit": _PLAIN,
    "claim.before_begin": _PLAIN,
    "claim.before_select": _PLAIN,
    "claim.after_intent": _PLAIN,
    "claim.before_commit": _PLAIN,
    "claim.after_commit": _PLAIN,
    "call.telegram.before": _PLAIN,
    "call.telegram.connected": _PLAIN,
    "call.telegram.half_written": _PLAIN,
    "call.telegram.written": _PLAIN,
    "call.telegram.half_read": _PLAIN,
    "call.telegram.read": _PLAIN,
    "call.telegram.after_answer": _PLAIN,
    "call.sms.before": _PLAIN,
    "call.sms.connected": _PLAIN,
    "call.sms.writing": _PLAIN,
    "call.sms.half_read": _PLAIN,
    "call.sms.read": _PLAIN,
    "call.sms.after_answer": _PLAIN,
    "result.after_begin": _PLAIN,
    "result.before_commit": _PLAIN,
    "result.after_commit": _PLAIN,
    "settle.before_list": _LOSE,
    "settle.after_list": _LOSE,
    "settle.before_adopt": _LOSE,
    "settle.before_resend": _FAIL,
    "settle.before_giving_up": Place(also="deaf"),
    "settle.before_commit": _LOSE,
    "reconcile.before_list": _PLAIN,
    "reconcile.after_list": _PLAIN,
    "reconcile.before_commit": _PLAIN,
    "reconcile.after_commit": _PLAIN,
    "inbound.before_list": _PLAIN,
    "inbound.before_commit": _PLAIN,
    "inbound.after_commit": _PLAIN,
    "webhook.before_verify": _PLAIN,
    "webhook.after_verify": _PLAIN,
    "webhook.before_commit": _PLAIN,
    "webhook.after_commit": _PLAIN,
    "hook.after_verify": _HOOK,
    "hook.before_commit": _HOOK,
    "hook.after_commit": _HOOK,
    "poll.after_fetch": _PLAIN,
    "poll.before_commit": _PLAIN,
    "poll.after_commit": _PLAIN,
    "inbox.before": _PLAIN,
    "inbox.before_commit": _PLAIN,
    "inbox.after": _PLAIN,
    "bot.after_commit": _PLAIN,
    "bot.after_answer": _PLAIN,
    "optout.before_row": _PLAIN,
    "optout.after_row": _PLAIN,
    "optout.after_reply": _PLAIN,
    "digest.before_pin": _PLAIN,
    "digest.after_pin": _PLAIN,
    "digest.after_edit": Place(also="later"),
    "digest.before_commit": _PLAIN,
    "housekeeping.before_day": _PLAIN,
    "housekeeping.before_commit": _PLAIN,
    "housekeeping.after_commit": _PLAIN,
    "instance.before_rename": Place(scenario="instance", file=True),
    **_of("import", "before_row", "before_commit", "after_commit"),
    **_of("calendar", "before_commit", "after_commit", "after_case", "before_followed"),
    **_of("archive", "after_copy", "before_commit", "after_commit"),
    **_of("erase", "after_fact", "after_people", "after_case", "after_letters"),
    **_of("arm", "before_begin", "after_row", "before_commit", "after_commit"),
    **_of("backup", "after_copy", "before_rename", file=True),
    **_of("restore", "after_copy", "after_aside", "before_rename", "after_rename", file=True),
    **_of("migrate", "after_copy", file=True),
    **_of("migrate", "after_step", "before_commit", "after_commit"),
}
"""Every place there is (tests/structure/test_failpoints.py compares them with the program)."""


def of(scenario: str, *, file: bool = True) -> list[str]:
    """The places of a scenario, with a file or on a server."""
    return [name for name, one in PLACES.items() if one.scenario == scenario and (file or not one.file)]


SENDING = ("claim", "call", "result", "settle")
"""Passed between a message that is due and its end."""

HEARING = ("inbox", "webhook", "optout")
"""Passed between somebody's word and its effect."""


ERRANDS = tuple(dict.fromkeys(p.scenario for p in PLACES.values() if p.scenario != MORNING))
