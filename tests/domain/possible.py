"""What somebody could record about a case at a moment, by the rules that the actions keep."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from reminder.domain.cases import (
    ENDED,
    FLAGS,
    OUTCOMES,
    VISIT_OUTCOMES,
    Event,
    Fact,
    Status,
    allowed_from,
)
from reminder.domain.entries import EntryStatus, Wanted
from reminder.domain.protocols import ADDED, EntryKind, Milestone, Protocol
from reminder.domain.workdays import at, local_day

if TYPE_CHECKING:
    from tests.domain.histories import Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One fact of a deed; without `at` it is so from the moment it is recorded."""

    event: Event
    subject: str = ""
    value: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What is recorded at once. `days` names the days the office counts by from then on, if others."""

    said: tuple[Said, ...]
    days: str = ""


Ways = Callable[["Story"], Iterator[Deed]]
"""Every way in which an event can happen to a story now."""


def one(event: Event, subject: str = "", *, when: datetime | None = None, **value: Any) -> Deed:
    return Deed(said=(Said(event=event, subject=subject, value=value, at=when),))


def _allows(story: "Story", event: Event) -> bool:
    states = allowed_from(event, direct_answer=_answers(story))
    return states is None or story.status in states


def _answers(story: "Story") -> bool:
    return story.protocol.direct_answer


def _live(story: "Story") -> bool:
    return story.status not in ENDED


def _today(story: "Story", days: int = 0) -> date:
    return local_day(story.now, story.office.zone) + timedelta(days=days)


def _whens(story: "Story") -> tuple[datetime | None, ...]:
    """Now, or at noon of a day that somebody names later; never before the last move."""
    moves = [f.at for f in story.past.facts if allowed_from(f.event) is not None]
    noon = at(_today(story, -1), time(12), story.office.zone)
    return (None,) if moves and noon < moves[-1] else (None, noon)


def _number(story: "Story", key: str) -> str:
    """Subject of what people put into the calendar: "visit", then "visit.2"."""
    used = {f.subject for f in story.facts if f.subject.partition(".")[0] == key}
    return key if not used else f"{key}.{len(used) + 1}"


# --- the case itself ----------------------------------------------------------------------------


def _moved(event: Event, *values: Mapping[str, Any], late: bool = False) -> Ways:
    """A move of the table, with what may be said with it."""

    def ways(story: "Story") -> Iterator[Deed]:
        if _allows(story, event):
            for when in _whens(story) if late else (None,):
                yield from (one(event, when=when, **value) for value in values or ({},))

    return ways


def _always(event: Event, *values: Mapping[str, Any], live: bool = False) -> Ways:
    def ways(story: "Story") -> Iterator[Deed]:
        if _live(story) or not live:
            yield from (one(event, **value) for value in values)

    return ways


def _receive(story: "Story") -> Iterator[Deed]:
    """A duplicate that came in earlier is joined to it."""
    known = story.past.all(Event.RECEIVE)
    if _live(story) and known:
        yield one(Event.RECEIVE, when=known[0].at - timedelta(days=4), **known[0].value)


def _register(story: "Story") -> Iterator[Deed]:
    if _allows(story, Event.REGISTER):
        yield one(Event.REGISTER)


def _accept(story: "Story") -> Iterator[Deed]:
    if story.past.handler_id is not None:
        yield from _moved(Event.ACCEPT, late=True)(story)


def _object(story: "Story") -> Iterator[Deed]:
    window = next((e for e in story.entries.values() if e.milestone == "object" and e.is_open), None)
    if _allows(story, Event.OBJECT) and (
        window is None or window.due_at is None or story.now < window.due_at
    ):
        yield one(Event.OBJECT, why="not ours")


def _told(story: "Story") -> Iterator[Deed]:
    if _live(story):
        told = {"progress": "surveyed", "next": "draft", "date_on": _today(story, 14).isoformat()}
        note = Said(event=Event.NOTE, value={"text": "n"})
        yield Deed(said=(note, Said(event=Event.TOLD, value=told)))


def _extend(story: "Story") -> Iterator[Deed]:
    for entry in story.entries.values():
        most = _milestone(story, entry).extension if _milestone(story, entry) else None
        if not (entry.is_open and most and _allows(story, Event.EXTEND)):
            continue
        before = any(f.event is Event.EXTEND for f in story.past.about(entry.key))
        if not before and entry.due_at is not None and story.now + timedelta(hours=12) < entry.due_at:
            value = {"reason": "permit", "approver": "b"}
            yield from (one(Event.EXTEND, entry.key, days=days, **value) for days in (1, most.amount))


def _suspend(story: "Story") -> Iterator[Deed]:
    for entry in story.entries.values():
        if entry.is_open and entry.milestone in {"review2", "reexam"}:
            yield from (one(Event.SUSPEND, entry.key, days=days) for days in (3, 40))


def _defer(story: "Story") -> Iterator[Deed]:
    if _allows(story, Event.DEFER):
        for days in (1, 30, 90):
            day = _today(story, days).isoformat()
            yield one(Event.DEFER, next_on=day, date_on=day, reason="funds", condition="budget")


def _answer(story: "Story") -> Iterator[Deed]:
    said = [{"outcome": outcome, "reason": "r", "rule": "x"} for outcome in OUTCOMES]
    yield from _moved(Event.ANSWER, *said, late=True)(story)


def _review(event: Event) -> Ways:
    def ways(story: "Story") -> Iterator[Deed]:
        reviewed = story.past.last(Event.REVIEW_RESULT) is not None
        served = story.past.last(Event.SERVED) is not None
        if served and reviewed is (event is Event.SECOND_REVIEW):
            yield from _moved(event, {"late": "no"}, {"late": "yes"})(story)

    return ways


def _close(story: "Story") -> Iterator[Deed]:
    past = story.past
    done = past.since_opening(Event.ANSWER) and past.since_opening(Event.SERVED)
    if done and past.all(Event.CONTACT, Event.VISITED):
        waiver = {} if story.protocol.closes_with_series else {"waiver": "w"}
        yield from _moved(Event.CLOSE, waiver, waiver | {"sides": "both"}, late=True)(story)
    if story.protocol.office and _allows(story, Event.ANSWER):
        yield _finish(story)


def _finish(story: "Story") -> Deed:
    """A file of the office is closed in one deed."""
    moments = [story.now - n * timedelta(microseconds=1) for n in (2, 1, 0)]
    values = ({"outcome": "explained", "reason": "r"}, {"how": "file"}, {"waiver": "file"})
    events = (Event.ANSWER, Event.SERVED, Event.CLOSE)
    parts = zip(events, values, moments, strict=True)
    return Deed(said=tuple(Said(event=event, value=value, at=at) for event, value, at in parts))


def _reopen(story: "Story") -> Iterator[Deed]:
    if _allows(story, Event.REOPEN):
        again = Said(event=Event.REOPEN, value={"reason_text": "it came back"})
        yield Deed(said=(again,))
        if story.past.all(Event.REOPEN) and (major := _under_major(story)):
            yield Deed(said=(again, major))


def _flag(story: "Story") -> Iterator[Deed]:
    major = _under_major(story)
    for sign in FLAGS:
        flag = Said(event=Event.FLAG, value={"flag": sign})
        if _live(story):
            yield Deed(said=(flag, major) if major else (flag,))


def _under_major(story: "Story") -> Said | None:
    if story.protocol.key == "major":
        return None
    return Said(event=Event.PROTOCOL, value=_under(story.protocols["major"]))


def _under(protocol: Protocol) -> dict[str, Any]:
    return {
        "key": protocol.key,
        "version": protocol.version,
        "direct_answer": protocol.direct_answer,
    }


def _protocol(story: "Story") -> Iterator[Deed]:
    """Put under another protocol, or anew under its own; what begins with it is owed from then on."""
    if not _live(story):
        return
    for protocol in story.protocols.values():
        again = {"again": "yes"} if protocol.key == story.protocol.key else {}
        said = Said(event=Event.PROTOCOL, value=_under(protocol) | again)
        yield Deed(said=(said,))


def settled(story: "Story", deed: Deed) -> Deed:
    """The deed with what only now is looked up: what begins with a protocol, which days were promised."""
    if deed.days:
        return Deed(said=tuple(_promises(story, deed.days)), days=deed.days)
    (said, *_) = deed.said
    if said.event is not Event.PROTOCOL:
        return deed
    fact = Fact(event=said.event, at=story.now, recorded_at=story.now, value=said.value)
    new = sorted(story.wanted([*story.facts, fact]).keys() - story.entries.keys())
    return Deed(said=(Said(event=said.event, value={**said.value, "begins": new}),))


def _merge(story: "Story") -> Iterator[Deed]:
    yield from _moved(Event.MERGE, {"into": "26000019"})(story)


# --- its entries --------------------------------------------------------------------------------


def _milestone(story: "Story", entry: Wanted) -> Milestone | None:
    return story.protocol.milestone(entry.milestone)


def _add(story: "Story") -> Iterator[Deed]:
    if not _live(story):
        return
    for milestone in story.protocol.milestones:
        if milestone.anchor == ADDED:
            day = _today(story, 9).isoformat()
            value = {"person": 2, "people": [1, 2], "text": "t", "place": "hall", "told": "yes"}
            chosen = {milestone.on: day} if milestone.on else {"day": day} if milestone.takes_place else {}
            yield one(Event.ADD, _number(story, milestone.key), **value, **chosen)


_OWN_MOVE = frozenset(
    {"register", "accept", "answer", "served", "close", "sponsor", "acknowledge", "object"}
    | {"defer", "resume", "review_result", "send_back", "conclude"}
)
"""Milestones met by these are not ticked off: the move itself is recorded."""


def _done(story: "Story") -> Iterator[Deed]:
    for entry in _open(story):
        if entry.kind in {EntryKind.NOTICE, EntryKind.VISIT}:
            continue
        milestone = _milestone(story, entry)
        met_by = milestone.met_by if milestone is not None else ()
        said = next((e for e in (Event.CONTACT, Event.NOTE) if e.value in met_by), None)
        if said is not None:
            yield one(said, entry.key, text="d")
        elif "done" in met_by or not _OWN_MOVE & set(met_by):
            yield one(Event.DONE, entry.key, text="d", told="yes")


def _open(story: "Story") -> list[Wanted]:
    return [entry for entry in story.entries.values() if entry.is_open]


def _propose(story: "Story") -> Iterator[Deed]:
    if _live(story):
        for days in (1, 3, 40):
            day = _today(story, days).isoformat()
            yield one(Event.PROPOSE, _number(story, "visit"), day=day, place="", mode="home")


def _of_visits(event: Event, *values: Mapping[str, Any]) -> Ways:
    def ways(story: "Story") -> Iterator[Deed]:
        for entry in _open(story):
            if entry.kind is EntryKind.VISIT:
                yield from (one(event, entry.key, **value) for value in values or ({},))

    return ways


def _move(story: "Story") -> Iterator[Deed]:
    for entry in _open(story):
        if entry.kind in {EntryKind.VISIT, EntryKind.MEETING}:
            stands = {"confirmed": True} if entry.kind is EntryKind.MEETING else {}
            for days, by in ((2, "resident"), (11, "office")):
                day = _today(story, days).isoformat()
                yield one(Event.MOVE, entry.key, day=day, asked_by=by, **stands)


def _visited(story: "Story") -> Iterator[Deed]:
    for deed in _of_visits(Event.VISITED, *({"outcome": o} for o in VISIT_OUTCOMES))(story):
        (said,) = deed.said
        again = said.value["outcome"] == "not_solved" and story.status in {Status.CLOSED, Status.COMPLETED}
        more = (Said(event=Event.REOPEN, value={"reason_text": "it came back"}),) if again else ()
        yield Deed(said=(said, *more))


def _missed(story: "Story") -> Iterator[Deed]:
    for entry in _open(story):
        begun = entry.starts_at is not None and entry.starts_at < story.now
        if entry.status is EntryStatus.CONFIRMED and begun:
            yield one(Event.MISSED, entry.key)


def _promised(story: "Story") -> Iterator[Deed]:
    """Other days hold; what residents were told before stays as it was told."""
    following = {"plain": "marked", "marked": "published"}.get(story.days)
    if following is not None:
        yield Deed(said=(), days=following)


def _promises(story: "Story", days: str) -> Iterator[Said]:
    would = story.wanted(story.facts, days=days)
    for entry in _open(story):
        told = entry.promise_on and entry.kind not in {EntryKind.NOTICE, EntryKind.TASK}
        if told and would[entry.key].when != entry.when:
            yield Said(event=Event.PROMISED, subject=entry.key, value={"day": str(entry.promise_on)})


def _task(story: "Story") -> Iterator[Deed]:
    yield one(Event.TASK, f"tell.{len(story.facts)}", what="tell_resident")


def _fact(story: "Story") -> Iterator[Deed]:
    if _live(story):
        for name in story.protocol.facts:
            yield from (one(Event.FACT, when=when, name=name) for when in _whens(story))


def _score(story: "Story") -> Iterator[Deed]:
    if story.past.last(Event.CLOSE) is not None:
        yield from (one(Event.SCORE, score=score) for score in (1, 2, 5))


WAYS: Mapping[Event, Ways] = {
    Event.RECEIVE: _receive,
    Event.REGISTER: _register,
    Event.ASSIGN: _always(Event.ASSIGN, {"handler": 1, "unit": 1}, {"handler": 2, "unit": 2}),
    Event.ACCEPT: _accept,
    Event.GUIDE: _moved(Event.GUIDE, {"path": "court"}),
    Event.REFER: _moved(Event.REFER, {"unit": 2, "why": ""}),
    Event.ACKNOWLEDGE: _moved(Event.ACKNOWLEDGE, {"unit": 2, "told": "no"}, {"unit": 2, "told": "yes"}),
    Event.OBJECT: _object,
    Event.CONTACT: _always(Event.CONTACT, {"text": "rang"}),
    Event.NOTE: _always(Event.NOTE, {"text": "n"}, {"text": "n", "why": "permit"}, live=True),
    Event.TOLD: _told,
    Event.EXTEND: _extend,
    Event.SUSPEND: _suspend,
    Event.DEFER: _defer,
    Event.RESUME: _moved(Event.RESUME, {"text": "", "progress": "p", "next": "n"}),
    Event.ANSWER: _answer,
    Event.SERVED: _moved(Event.SERVED, {"how": "by hand"}, late=True),
    Event.REVIEW_REQUEST: _review(Event.REVIEW_REQUEST),
    Event.REVIEW_RESULT: _moved(Event.REVIEW_RESULT, {"result": "stands"}),
    Event.SECOND_REVIEW: _review(Event.SECOND_REVIEW),
    Event.SEND_BACK: _moved(Event.SEND_BACK, {"result": "again"}),
    Event.CONCLUDE: _moved(Event.CONCLUDE, {"result": "stands"}),
    Event.CLOSE: _close,
    Event.REOPEN: _reopen,
    Event.WITHDRAW: _moved(Event.WITHDRAW, {"words": "let it be"}),
    Event.MERGE: _merge,
    Event.ARCHIVE: _moved(Event.ARCHIVE),
    Event.ERASE: _moved(Event.ERASE),
    Event.FLAG: _flag,
    Event.PROTOCOL: _protocol,
    Event.SPONSOR: _always(Event.SPONSOR, {"person": 3, "why": ""}, live=True),
    Event.PAUSE: _always(Event.PAUSE, {"why": "mourning"}, live=True),
    Event.UNPAUSE: _always(Event.UNPAUSE, {}, live=True),
    Event.ADD: _add,
    Event.SCORE: _score,
    Event.DONE: _done,
    Event.FACT: _fact,
    Event.TASK: _task,
    Event.PROPOSE: _propose,
    Event.CONFIRM: _of_visits(Event.CONFIRM),
    Event.DECLINE: _of_visits(Event.DECLINE),
    Event.ASK_OTHER_DAY: _of_visits(Event.ASK_OTHER_DAY),
    Event.MOVE: _move,
    Event.VISITED: _visited,
    Event.NOT_MET: _of_visits(Event.NOT_MET, {"reason": "nobody_home"}),
    Event.MISSED: _missed,
    Event.PROMISED: _promised,
}
"""COMPLETE is not here: nobody decides it, it follows (`Story.close_down`)."""
