"""What is told about how a date was reached is the reckoning that set it, in every history."""

from datetime import date

from hypothesis import given, settings

from reminder.domain.cases import Event, Fact, history
from reminder.domain.protocols import ANCHORS, EntryKind
from reminder.domain.wanted import TASK, reckoned
from tests.domain.histories import Story, office_for, stories


@settings(max_examples=150, deadline=None)
@given(stories())
def test_every_entry_has_the_reckoning_its_dates_came_from(story: Story) -> None:
    should, known = story.entries, reckoned(story.past, story.protocol, story.office)
    assert known.keys() == should.keys()
    for key, entry in should.items():
        made = known[key]
        assert made.at == entry.anchor_at
        names = {*ANCHORS, TASK, *story.protocol.facts, *(m.key for m in story.protocol.milestones)}
        assert made.anchor in names
        if entry.kind in {EntryKind.VISIT, EntryKind.MEETING}:
            continue
        due = made.longer[-1][1] if made.longer else made.first
        if due is None:
            assert entry.nominal_on == made.chosen
        elif due.limit.unit.elapsed:
            assert entry.due_at == due.effective
        else:
            assert entry.due_on == due.effective
            if entry.kind is not EntryKind.TASK:
                assert (entry.nominal_on, entry.provisional) == (due.nominal, due.provisional)
                told = any(fact.event is Event.PROMISED for fact in story.past.about(key))
                assert entry.promise_on == due.promise or (told and entry.promise_on < due.promise)


def test_each_extension_is_a_step_of_its_own_counted_from_the_nominal_end() -> None:
    story = Story("ordinary").register().then(Event.ACCEPT)
    given = {"subject": "handle", "value": {"days": 20, "reason": "r", "approver": "a"}}
    story.facts.append(Fact(event=Event.EXTEND, at=story.now, recorded_at=story.now, **given))  # type: ignore[arg-type]
    made = reckoned(history(story.facts), story.protocol, office_for(story.protocol))["handle"]
    ((fact, due),) = made.longer
    assert made.first is not None
    assert fact.event is Event.EXTEND
    assert due.anchor == made.first.nominal == date(2026, 5, 1)
    assert due.nominal == date(2026, 5, 21)
