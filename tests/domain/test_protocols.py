"""Protocols are data: any file loads without code, and every fault is told at once with its line."""

import ast
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from reminder.domain.cases import Event
from reminder.domain.errors import Faulty
from reminder.domain.limits import CountFrom, Limit, Roll, Unit
from reminder.domain.people import Role
from reminder.domain.protocol_drafts import FILE_KEYS, MILESTONE_KEYS
from reminder.domain.protocol_files import read_protocols, version_of
from reminder.domain.protocols import (
    EVENT_ANCHORS,
    EVENTS,
    Bound,
    EntryKind,
    Milestone,
    Offset,
    OffsetUnit,
    Protocol,
)
from reminder.domain.wanted import ANCHORS

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "templates/protocols").glob("*.toml"))
KINDS = {"due_today", "overdue", "escalation", "return_visit", "visit_tomorrow", "received"}

HEAD = """calendar = "CN"
facts = ["roof_dry"]
name = { zh = "测试", en = "Test" }
ladder.E = ["due T0@15:00 !due_today", "due,unit_head T+1wd !overdue", "sponsor weekly !escalation"]
"""
MILESTONE = """[[milestone]]
key = "handle"
kind = "deadline"
what = { zh = "答复", en = "Answer" }
anchor = "accepted"
limit = "60 cal"
"""
VISIT = """[[milestone]]
key = "rv1"
kind = "visit"
what = { zh = "回访", en = "Return visit" }
anchor = "closed"
limit = "7 cal"
"""
HOME = 'mode = "home"\n'


def read(*, kinds: set[str] | None = None, **texts: str) -> Mapping[str, Protocol]:
    known = {"CN", "GB-ENG"}.__contains__
    files = {f"protocols/{name}.toml": text for name, text in texts.items()}
    return read_protocols(files, kinds=kinds, calendars=known)


def one(text: str, **texts: str) -> Protocol:
    return read(kinds=KINDS, it=text, **texts)["it"]


def milestone(text: str) -> Milestone:
    return one(HEAD + MILESTONE + text).milestones[0]


def steps(limit: str, offsets: str, more: str = "") -> list[str]:
    text = MILESTONE.replace("60 cal", limit) + f'remind = ["handler {offsets}"]\n{more}'
    return [step.key for step in one(HEAD + text).milestones[0].steps]


def shipped() -> dict[str, str]:
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in FILES}


# ---- what is read ----


def test_a_milestone_says_what_when_and_whom() -> None:
    found = milestone(
        'promise = "5 wd"\nmet_by = ["answer"]\nonly_if = { outcome = ["not_upheld"], score = [1] }\n'
        'remind = ["handler, unit_head T0@15:00 !due_today"]\nresident = ["T-1@16:00! visit_tomorrow"]\n'
        'due_role = "intake"\nbasis = "art. 34"\n'
    )
    assert (found.key, found.kind, found.words) == (
        "handle",
        EntryKind.DEADLINE,
        {"zh": "答复", "en": "Answer"},
    )
    assert (found.limit, found.promise) == (Limit(60, Unit.CAL), Limit(5, Unit.WD))
    assert (found.count_from, found.roll, found.bound) == (CountFrom.NEXT_DAY, Roll.FORWARD, Bound.OFFICE)
    assert (found.met_by, found.until) == (("answer",), ("close", "withdraw"))
    assert found.only_if == {"outcome": ("not_upheld",), "score": ("1",)}
    assert (found.due_role, found.basis) == (Role.INTAKE, "art. 34")
    staff, resident = found.steps
    assert (staff.key, staff.roles, staff.kind) == (
        "T0@15:00",
        (Role.HANDLER, Role.UNIT_HEAD),
        "due_today",
    )
    assert staff.offset == Offset(amount=0, unit=OffsetUnit.CAL, at=time(15))
    assert (resident.key, resident.resident, resident.roles) == ("T-1@16:00", True, ())
    assert resident.offset == Offset(amount=-1, unit=OffsetUnit.CAL, at=time(16), exact=True)


@pytest.mark.parametrize(
    ("token", "key", "offset"),
    [
        ("now", "now", None),
        ("T0", "T0", Offset(amount=0, unit=OffsetUnit.CAL)),
        ("T-3cal", "T-3", Offset(amount=-3, unit=OffsetUnit.CAL)),
        ("T-5wd", "T-5wd", Offset(amount=-5, unit=OffsetUnit.WD)),
        ("T-12h", "T-12h", Offset(amount=-12, unit=OffsetUnit.HOUR)),
        ("T+15min", "T+15min", Offset(amount=15, unit=OffsetUnit.MINUTE)),
        ("T+1wd@12:00", "T+1wd@12:00", Offset(amount=1, unit=OffsetUnit.WD, at=time(12))),
        ("T+3", "T+3", Offset(amount=3, unit=OffsetUnit.CAL)),
    ],
)
def test_every_moment_of_the_language_has_one_spelling(token: str, key: str, offset: Offset | None) -> None:
    (step,) = milestone(f'remind = ["handler {token} !overdue"]').steps
    assert (step.key, step.offset, step.kind) == (key, offset, "overdue")


def test_a_ladder_names_whoever_must_do_the_milestone_and_goes_on_weekly() -> None:
    found = milestone('due_role = "intake"\nladder = "E"\n').steps
    assert [(s.key, s.roles) for s in found] == [
        ("T0@15:00", (Role.INTAKE,)),
        ("T+1wd", (Role.INTAKE, Role.UNIT_HEAD)),
        ("weekly", (Role.SPONSOR,)),
    ]
    assert found[2].weekly
    assert found[2].offset is None
    assert found[2].after == Offset(amount=1, unit=OffsetUnit.WD)


def test_a_ladder_can_be_climbed_from_a_later_step() -> None:
    assert [s.key for s in milestone('ladder = "E from T+1wd"\n').steps] == ["T+1wd", "weekly"]


@pytest.mark.parametrize(
    ("limit", "offsets", "kept"),
    [
        ("15 cal", "T-8 T-7 T-3 T-1 T0", ["T-7", "T-3", "T-1", "T0"]),
        ("5 wd", "T-7 T-3 T-2 T-1 T0", ["T-2", "T-1", "T0"]),
        ("3 wd", "T-3 T-2 T-1 T0", ["T-1", "T0"]),
        ("2 wd", "T-1 T0", ["T0"]),
        ("1 wd", "T-1 T0 T+1wd", ["T0", "T+1wd"]),
        ("60 cal", "T-30 T-29", ["T-29"]),
        ("28 cal", "T-10wd T-9wd", ["T-9wd"]),
        ("1 month", "T-15 T-14", ["T-14"]),
        ("24 h", "T-1 T0", ["T0"]),
    ],
)
def test_reminders_in_the_first_half_of_a_limit_are_left_out(
    limit: str, offsets: str, kept: list[str]
) -> None:
    assert steps(limit, offsets) == kept


def test_the_half_is_that_of_the_promise_since_reminders_run_on_it() -> None:
    assert steps("15 cal", "T-7 T-3 T-2 T-1 T0", 'promise = "5 wd"\n') == ["T-2", "T-1", "T0"]


def test_hours_and_what_a_resident_hears_are_kept_as_written() -> None:
    urgent = MILESTONE.replace("60 cal", "24 h") + 'remind = ["handler T-12h T-20h !due_today"]\n'
    assert [s.key for s in one(HEAD + urgent).milestones[0].steps] == ["T-12h", "T-20h"]
    visit = VISIT.replace("7 cal", "2 cal") + HOME + 'resident = ["T-1@16:00! visit_tomorrow"]\n'
    assert [s.key for s in one(HEAD + visit).milestones[0].steps] == ["T-1@16:00"]


def test_elapsed_limits_never_roll_and_others_follow_their_file() -> None:
    text = 'roll = "back"\ncount_from = "same_day"\n' + HEAD + MILESTONE.replace("60 cal", "24 h")
    elapsed, visit = one(text + VISIT + HOME + 'roll = "forward"\n').milestones
    assert (elapsed.roll, elapsed.count_from) == (Roll.NONE, CountFrom.SAME_DAY)
    assert (visit.roll, visit.count_from) == (Roll.FORWARD, CountFrom.SAME_DAY)
    assert one(text.replace("24 h", "9 cal")).milestones[0].roll is Roll.BACK


def test_a_milestone_that_does_not_say_is_met_as_its_kind_is() -> None:
    def met(kind: str) -> tuple[tuple[str, ...], Bound]:
        text = VISIT.replace("visit", kind, 1) + (HOME if kind == "visit" else "")
        found = one(HEAD + text.replace('"rv1"', '"it"')).milestones[0]
        return found.met_by, found.bound

    assert met("visit") == (("visited",), Bound.OFFICE)
    assert met("notice") == ((), Bound.NONE)
    assert met("task") == (("done",), Bound.NONE)
    assert met("meeting") == met("commitment") == met("deadline") == (("done",), Bound.OFFICE)


def test_a_file_takes_what_it_includes_and_leaves_out_what_it_replaces() -> None:
    part = "part = true\nladder.F = ['handler T0']\nfacts = ['snow']\n" + MILESTONE + VISIT + HOME
    own = MILESTONE.replace("60 cal", "9 cal").replace("accepted", "snow") + 'ladder = "F"\n'
    found = one('include = ["base"]\nwithout = ["handle"]\n' + HEAD + own, base=part)
    assert [(m.key, str(m.limit)) for m in found.milestones] == [("rv1", "7 cal"), ("handle", "9 cal")]
    assert [s.key for s in found.milestones[1].steps] == ["T0"]
    assert set(found.facts) == {"snow", "roof_dry"}
    assert "base" not in read(base=part, it=HEAD)


def test_a_whole_protocol_can_be_included_and_a_shared_part_comes_once() -> None:
    part = "part = true\n" + VISIT + HOME
    middle = 'include = ["base"]\ncontact_hours = "07:00-22:00"\nurgent = true\n' + HEAD + MILESTONE
    top = 'include = ["middle", "base"]\n' + HEAD.replace("ladder.E", "ladder.F")
    found = read(it=top, middle=middle, base=part)
    assert [m.key for m in found["it"].milestones] == ["rv1", "handle"]
    assert (found["middle"].contact_hours, found["middle"].urgent) == ((time(7), time(22)), True)
    assert (found["it"].contact_hours, found["it"].urgent) == (None, False)


def test_only_return_visits_make_a_case_close_with_a_series() -> None:
    assert one(HEAD + VISIT + HOME).closes_with_series
    assert not one(HEAD + VISIT.replace("closed", "accepted") + HOME).closes_with_series
    assert not one(HEAD + VISIT.replace('"visit"', '"deadline"')).closes_with_series


# ---- the version ----

SAID = HEAD + MILESTONE + 'remind = ["handler T-3 T0", "unit_head T-1"]\n'


@pytest.mark.parametrize(
    "edited",
    [
        "# a word\n\n" + SAID.replace(" = ", "   =  "),
        SAID.replace(
            '["handler T-3 T0", "unit_head T-1"]', '[\n "unit_head  T-1", # why\n "handler T-3 T0",\n]'
        ),
        SAID.replace("T-3", "T-3cal"),
        SAID + 'count_from = "next_day"\n',
    ],
    ids=["space", "order", "spelling", "default"],
)
def test_an_edit_that_changes_no_meaning_keeps_the_version(edited: str) -> None:
    assert edited != SAID
    assert one(edited).version == one(SAID).version


@pytest.mark.parametrize(
    "edited",
    [
        SAID.replace("60 cal", "61 cal"),
        SAID.replace("T-3", "T-2"),
        SAID.replace("unit_head T-1", "sponsor T-1"),
        SAID.replace("答复", "回复"),
        SAID.replace('"roof_dry"', '"roof_wet"'),
        SAID + 'bound = "none"\n',
        SAID + 'until = ["withdraw"]\n',
        SAID + 'basis = "art. 34"\n',
        "urgent = true\n" + SAID,
        "direct_answer = true\n" + SAID,
        'contact_hours = "07:00-22:00"\n' + SAID,
    ],
)
def test_an_edit_that_changes_the_meaning_changes_the_version(edited: str) -> None:
    assert one(edited).version != one(SAID).version


def test_the_order_of_milestones_has_no_meaning_and_the_version_is_short() -> None:
    protocol = one(HEAD + MILESTONE + VISIT + HOME)
    assert one(HEAD + VISIT + HOME + MILESTONE).version == protocol.version
    assert version_of(replace(protocol, version="other")) == protocol.version
    assert len(protocol.version) == 12
    assert int(protocol.version, 16)


# ---- what is refused: the fault stands on the line ending in #! ----

FAULTS = {
    "not TOML": (HEAD + "[[milestone] #!\n", "not valid TOML"),
    "unknown key": (HEAD + MILESTONE + 'ancor = "accepted" #!\n', "Did you mean 'anchor'?"),
    "unknown key of the file": ("calender = 'CN' #!\n" + HEAD, "Did you mean 'calendar'?"),
    "missing key": (HEAD + "[[milestone]] #!\n" + MILESTONE[14:].replace('key = "handle"\n', ""), "'key'"),
    "missing calendar": ("#!\n" + HEAD.replace('calendar = "CN"\n', ""), "'calendar' is missing"),
    "bad limit": (HEAD + MILESTONE.replace('"60 cal"', '"60 days" #!'), "'60 days' is not a limit"),
    "limit not a text": (HEAD + MILESTONE.replace('"60 cal"', "60 #!"), "'limit' is not a text"),
    "deadline without limit": (
        HEAD + MILESTONE.replace('limit = "60 cal"\n', "").replace("]]", "]] #!"),
        "needs a limit",
    ),
    "bad promise": (HEAD + MILESTONE + 'promise = "soon" #!\n', "'soon' is not a limit"),
    "promise longer": (HEAD + MILESTONE + 'promise = "61 wd" #!\n', "longer than the limit"),
    "promise of another sort": (HEAD + MILESTONE + 'promise = "24 h" #!\n', "not of one sort"),
    "promise alone": (
        HEAD + VISIT.replace('limit = "7 cal"\n', "") + HOME + 'promise = "2 wd" #!\n',
        "needs the limit it shortens",
    ),
    "bad offset": (
        HEAD + MILESTONE + 'remind = [\n  "handler T0", # fine, ["T0"]\n  "handler T-3x", #!\n]\n',
        "'T-3x' is not a moment",
    ),
    "impossible hour": (
        HEAD + MILESTONE + 'remind = ["handler T0@25:00 !due_today"] #!\n',
        "'T0@25:00' is not a moment",
    ),
    "hour of the day on hours": (
        HEAD + MILESTONE + 'remind = ["handler T-2h@15:00 !due_today"] #!\n',
        "hours",
    ),
    "needless exactness": (HEAD + MILESTONE + 'remind = ["handler T-2wd!"] #!\n', "working days"),
    "timed step in a digest": (HEAD + MILESTONE + 'remind = ["handler T0@15:00"] #!\n', "Add !kind"),
    "no moment": (HEAD + MILESTONE + 'remind = ["handler"] #!\n', "does not say when"),
    "kind not last": (
        HEAD + MILESTONE + 'remind = ["handler !overdue T0"] #!\n',
        "'!overdue' stands in the wrong place",
    ),
    "empty kind": (HEAD + MILESTONE + 'remind = ["handler T0 !"] #!\n', "no kind"),
    "weekly first": (HEAD + MILESTONE + 'remind = ["handler weekly"] #!\n', "no step before it"),
    "told twice": (
        HEAD + MILESTONE + 'remind = ["handler T0", "due T0 !due_today"] #!\n',
        "told twice at T0",
    ),
    "told twice by the ladder": (
        HEAD + MILESTONE + 'remind = ["unit_head T+1wd"]\nladder = "E" #!\n',
        "unit_head is told twice at T+1wd",
    ),
    "unknown role": (HEAD + MILESTONE + 'remind = ["handlr T0"] #!\n', "Did you mean 'handler'?"),
    "unknown kind": (HEAD + MILESTONE + 'remind = ["handler T0 !overdu"] #!\n', "Did you mean 'overdue'?"),
    "unknown kind in a ladder": (
        HEAD.replace("!escalation", "!escalate")
        .replace("]\nname", "]\nname")
        .replace('!escalate"]', '!escalate"] #!'),
        "Did you mean 'escalation'?",
    ),
    "unknown kind for a resident": (HEAD + VISIT + HOME + 'resident = ["now recieved"] #!\n', "'received'"),
    "resident line malformed": (HEAD + VISIT + HOME + 'resident = ["now"] #!\n', "not a line for a resident"),
    "unknown anchor": (HEAD + MILESTONE.replace('"accepted"', '"acepted" #!'), "Did you mean 'accepted'?"),
    "undeclared fact": (HEAD + MILESTONE.replace('"accepted"', '"roof_dri" #!'), "Did you mean 'roof_dry'?"),
    "anchored on itself": (HEAD + MILESTONE.replace('"accepted"', '"handle" #!'), "handle -> handle"),
    "circle": (
        HEAD + MILESTONE.replace('"accepted"', '"rv1" #!') + VISIT.replace("closed", "handle") + HOME,
        "handle -> rv1 -> handle",
    ),
    "no such include": ('include = ["comon"] #!\n' + HEAD, "There is no file comon.toml"),
    "includes itself": ('include = ["it"] #!\n' + HEAD, "includes this file in turn"),
    "nothing to leave out": ('without = ["handel"] #!\n' + HEAD + MILESTONE, "No included file"),
    "duplicate key": (
        HEAD + MILESTONE + MILESTONE.replace('"handle"', '"handle" #!'),
        "There is a milestone 'handle' already, at protocols/it.toml:5",
    ),
    "key of a moment": (HEAD + MILESTONE.replace('"handle"', '"closed" #!'), "already names a moment"),
    "key nobody can type": (HEAD + MILESTONE.replace('"handle"', '"Handle it" #!'), "cannot be typed"),
    "fact and milestone": (HEAD + MILESTONE.replace('"handle"', '"roof_dry" #!'), "both a fact and"),
    "fact nobody can type": (HEAD.replace('"roof_dry"]', '"Roof dry"] #!'), "cannot be typed"),
    "fact that is a moment": (HEAD.replace('"roof_dry"]', '"served"] #!'), "every case has"),
    "bound to a resident": (HEAD + MILESTONE + 'bound = "resident" #!\n', "never the resident"),
    "visit not bound": (HEAD + VISIT + HOME + 'bound = "none" #!\n', "always binds the office"),
    "notice bound": (
        HEAD + VISIT.replace('"visit"', '"notice"') + 'bound = "office" #!\n',
        "never binds the office",
    ),
    "due from a resident": (HEAD + MILESTONE + 'due_role = "resident" #!\n', "Nothing is ever due from"),
    "reminds a resident": (HEAD + MILESTONE + 'remind = ["handler,resident T0"] #!\n', "never reminded"),
    "escalates to a resident": (
        HEAD.replace("due,unit_head", "due,resident").replace('escalation"]', 'escalation"] #!'),
        "never reminded",
    ),
    "escalates what binds nobody": (
        HEAD + MILESTONE + 'bound = "none"\nladder = "E" #!\n',
        "Nothing escalates",
    ),
    "no such ladder": (HEAD + MILESTONE + 'ladder = "Z" #!\n', "There is no ladder 'Z'"),
    "no such rung": (HEAD + MILESTONE + 'ladder = "E from T+2wd" #!\n', "no step 'T+2wd'"),
    "visit without mode": (HEAD + VISIT.replace("]]", "]] #!"), "A visit needs a mode"),
    "unknown mode": (HEAD + VISIT + 'mode = "hom" #!\n', "Did you mean 'home'?"),
    "mode of a deadline": (HEAD + MILESTONE + 'mode = "home" #!\n', "A deadline has no mode"),
    "slot of a deadline": (HEAD + MILESTONE + 'slot = "09:00-11:00" #!\n', "A deadline has no slot"),
    "slot backwards": (HEAD + VISIT + HOME + 'slot = "11:00-09:00" #!\n', "not a span of hours"),
    "roll of hours": (
        HEAD + MILESTONE.replace("60 cal", "24 h") + 'roll = "forward" #!\n',
        "never rolls",
    ),
    "repeats without limit": (
        HEAD + VISIT.replace('limit = "7 cal"\n', "") + HOME + "repeat = true #!\n",
        "needs the limit",
    ),
    "repeats at once": (
        HEAD + VISIT.replace('"7 cal"', '"0 cal" #!') + HOME + "repeat = true\n",
        "never ends",
    ),
    "unknown calendar": (HEAD.replace('"CN"', '"ZZ" #!'), "There is no calendar 'ZZ'"),
    "words missing": (HEAD + MILESTONE.replace(', en = "Answer" }', " } #!"), "missing in en"),
    "words empty": (HEAD + MILESTONE.replace('"Answer" }', '" " } #!'), "'en' is not a text"),
    "name missing in a language": (HEAD.replace(', en = "Test" }', " } #!"), "missing in en"),
    "unknown event": (HEAD + MILESTONE + 'met_by = ["anwser"] #!\n', "Did you mean 'answer'?"),
    "unknown event to end it": (HEAD + MILESTONE + 'until = ["closed"] #!\n', "Did you mean 'close'?"),
    "unknown kind of entry": (HEAD + MILESTONE.replace('"deadline"', '"deadlin" #!'), "'deadline'?"),
    "flag as text": (HEAD + MILESTONE + 'repeat = "yes" #!\n', "neither true nor false"),
    "list as text": (HEAD + MILESTONE + 'remind = "handler T0" #!\n', "'remind' is not a list"),
    "number in a list": (HEAD + MILESTONE + 'remind = [\n"handler T0",\n3, #!\n]\n', "not a text"),
    "condition without values": (HEAD + MILESTONE + "only_if = { score = [] } #!\n", "no values for 'score'"),
    "milestone as a table": (HEAD + "[milestone] #!\nkey = 'a'\n", "not a list of tables"),
    "ladder as a text": (
        HEAD.replace("ladder.E = [", "ladder = 'E' #!\nfacts2 = [").split("facts2")[0],
        "table",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_with_its_file_its_line_and_a_remedy(name: str) -> None:
    text, said = FAULTS[name]
    places = [f"protocols/it.toml:{n}" for n, line in enumerate(text.splitlines(), 1) if line.endswith("#!")]
    with pytest.raises(Faulty) as caught:
        one(text)
    assert [fault.place for fault in caught.value.faults] == places
    (fault,) = caught.value.faults
    assert said in str(fault)
    assert fault.what.endswith((".", "?"))
    assert fault.remedy.endswith((".", "?"))


def test_all_faults_of_all_files_come_at_once_by_file_and_line_and_nothing_is_loaded() -> None:
    with pytest.raises(Faulty) as caught:
        read(
            kinds=KINDS,
            b=HEAD + MILESTONE.replace("60 cal", "60") + 'roll = "up"\nbound = "resident"\n',
            a=HEAD.replace('"CN"', '"ZZ"') + VISIT,
            good=HEAD,
            c="= 1\n",
        )
    places = [fault.place for fault in caught.value.faults]
    assert places == [
        f"protocols/{p}.toml:{n}" for p, n in [*zip("aabbbc", [1, 5, 10, 11, 12, 1], strict=True)]
    ]


def test_a_fault_in_a_shared_part_is_told_once_and_says_where_it_hurts() -> None:
    part = "part = true\n" + MILESTONE.replace("accepted", "rv1")
    with pytest.raises(Faulty) as caught:
        read(base=part, one='include=["base"]\n' + HEAD, two='include=["base"]\n' + HEAD + VISIT + HOME)
    (fault,) = caught.value.faults
    assert fault.place == "protocols/base.toml:6"
    assert "Nothing is called 'rv1' where 'one' includes it" in fault.what
    spoilt = part.replace("rv1", "closed").replace("60 cal", "sixty")
    with pytest.raises(Faulty) as caught:
        read(base=spoilt, one='include=["base"]\n' + HEAD, two='include=["base"]\n' + HEAD)
    assert [fault.place for fault in caught.value.faults] == ["protocols/base.toml:7"]


def test_a_ladder_of_an_included_file_is_not_silently_changed() -> None:
    with pytest.raises(Faulty, match="has a ladder 'E' already") as caught:
        one('include = ["base"]\n' + HEAD, base="part = true\nladder.E = ['top T0']\n")
    assert [fault.place for fault in caught.value.faults] == ["protocols/it.toml:5"]


def test_files_including_each_other_are_refused() -> None:
    with pytest.raises(Faulty, match="includes this file in turn"):
        read(a='include=["b"]\n' + HEAD, b='include=["a"]\n' + HEAD.replace(".E", ".F"))


def test_a_file_that_cannot_be_read_blames_nobody_who_includes_it() -> None:
    with pytest.raises(Faulty) as caught:
        one('include=["base"]\nwithout=["x"]\n' + HEAD + MILESTONE.replace("accepted", "there"), base="[")
    assert [fault.place for fault in caught.value.faults] == ["protocols/base.toml:1"]


def test_kinds_and_calendars_are_unchecked_when_not_given() -> None:
    text = HEAD.replace('"CN"', '"ZZ"') + MILESTONE + 'remind = ["handler T0 !whatever"]\n'
    found = read_protocols({"it.toml": text}, kinds=None, calendars=None)
    assert found["it"].calendar == "ZZ"


@pytest.mark.parametrize("text", ["x = " + "[" * 5000, f"x = {'9' * 5000}", "\x00", ""])
def test_no_text_whatever_gives_a_traceback(text: str) -> None:
    with pytest.raises(Faulty):
        one(text)


def test_files_from_any_editor_read_the_same_and_keep_their_line_numbers() -> None:
    windows = "\ufeff" + SAID.replace("\n", "\r\n")
    assert one(windows).version == one(SAID).version
    with pytest.raises(Faulty) as caught:
        one(windows.replace("T-3", "T-x"))
    assert [fault.place for fault in caught.value.faults] == ["protocols/it.toml:11"]


# ---- the files that come with the program ----

CASES = {"ordinary", "urgent", "major", "simple", "errand", "ukh", "visits-uk"}
OF_THE_OFFICE = {"reception", "round", "care", "pledges"}
"""What residents bring, and what the office keeps for itself."""


def test_the_shipped_files_are_clean_against_the_shipped_templates() -> None:
    kinds = tomllib.loads((ROOT / "templates/messages/kinds.toml").read_text(encoding="utf-8"))
    found = read_protocols(shipped(), kinds=kinds, calendars={"CN", "GB-ENG"}.__contains__)
    assert set(found) == CASES | OF_THE_OFFICE
    assert all(m.basis for p in found.values() for m in p.milestones)


def test_the_statutory_limits_are_those_of_the_regulations() -> None:
    ordinary = read_protocols(shipped(), kinds=None, calendars=None)["ordinary"]
    limits = {m.key: (m.anchor, str(m.limit)) for m in ordinary.milestones if m.limit}
    assert limits["handle"] == ("taken_up", "60 cal")
    assert limits["refer"] == ("received", "15 cal")
    assert limits["notify"] == ("unit_received", "15 cal")
    assert limits["object"] == ("referred", "5 wd")
    assert limits["review_window"] == ("served", "30 cal")
    assert [limits[key] for key in ("rv1", "rv2", "rv3")] == [
        ("closed", "7 cal"),
        ("closed", "30 cal"),
        ("closed", "90 cal"),
    ]
    window = ordinary.milestone("review_window")
    assert window is not None
    assert window.bound is Bound.NONE


def test_every_shipped_protocol_ends_with_closing_and_takes_visits_by_hand() -> None:
    found = read_protocols(shipped(), kinds=None, calendars=None)
    for protocol in (found[key] for key in CASES):
        close, visit = protocol.milestone("close"), protocol.milestone("visit")
        assert close is not None
        assert (close.anchor, str(close.limit)) == ("served", "5 wd")
        assert visit is not None
        assert visit.anchor == "visit_set"


def test_no_code_knows_a_protocol_by_name() -> None:
    """Renamed files mean the same, and no module that deals with protocols spells one of their names."""
    found = read_protocols(shipped(), kinds=None, calendars=None)
    texts = {name.replace(key := Path(name).stem, f"zz-{key}"): text for name, text in shipped().items()}
    texts = {
        name: re.sub(r'include = \["(\w+)"\]', r'include = ["zz-\1"]', text) for name, text in texts.items()
    }
    renamed = read_protocols(texts, kinds=None, calendars=None)
    assert {p.key.removeprefix("zz-"): replace(p, key="", version="") for p in renamed.values()} == {
        key: replace(protocol, key="", version="") for key, protocol in found.items()
    }
    words_of_the_format = FILE_KEYS | MILESTONE_KEYS
    for path in (ROOT / "reminder/domain").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "domain.protocol" in source:
            spelt = {n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant)}
            assert not (spelt & found.keys()) - words_of_the_format, path.name


def test_the_planner_knows_every_anchor_and_event_a_file_may_name() -> None:
    assert set(ANCHORS) == EVENT_ANCHORS
    assert set(Event) >= EVENTS


def test_the_handbook_explains_every_word_of_the_format() -> None:
    handbook = (ROOT / "docs/protocols.md").read_text(encoding="utf-8")
    words = FILE_KEYS | MILESTONE_KEYS | EVENT_ANCHORS | EVENTS | set(EntryKind) | set(Role) - {Role.ADMIN}
    assert [word for word in sorted(words) if f"`{word}`" not in handbook] == []


def test_the_example_of_the_handbook_loads() -> None:
    handbook = (ROOT / "docs/protocols.md").read_text(encoding="utf-8")
    example = handbook.split("```toml\n")[1].split("```")[0]
    found = read_protocols({**shipped(), "street-lamps.toml": example}, kinds=None, calendars=None)
    assert found["street-lamps"].milestone("repair") is not None
