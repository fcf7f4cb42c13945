"""The road through farmland (26000124): what happened to it, each fact on its day. Domain page, 7.2."""

from datetime import date, datetime, time, timedelta

from reminder.demo.histories import Past, Story
from reminder.demo.major import flagged, joint, put_in, reviewed, slot
from reminder.demo.people import Neighbour
from reminder.domain.cases import Event
from reminder.domain.workdays import at

TOLD_AS_OF = date(2026, 11, 23)
"""The morning the story is told on; from 13 November until the next visit its dates are as they are."""

STANDS = (date(2026, 11, 13), date(2027, 2, 11))
FIRST = date(2026, 3, 2)
SERIAL = 12
"""Its place among the matters of its year: 26000124."""

HANDLER, SPONSOR = "黄志强", "周敏"
SPEAKERS = 5


def shift(as_of: date) -> timedelta:
    """How far the story's days are moved so that it stands as told: by whole weeks, or not at all."""
    if STANDS[0] <= as_of <= STANDS[1]:
        return timedelta(0)
    return timedelta(weeks=round((as_of - TOLD_AS_OF) / timedelta(weeks=1)))


class Road:
    """Writes the story down, from the ledger's old entries to the third visit of the second series."""

    def __init__(self, past: Past, hewan: list[Neighbour], shangping: list[Neighbour]) -> None:
        self.past = past
        self.moved = shift(past.as_of)
        self.story = Story(
            past=past,
            handler=past.person(HANDLER),
            party=hewan[0],
            protocol="ordinary",
            category="land",
            others=[*((one, "representative") for one in hewan[1:SPEAKERS]), (shangping[0], "counterpart")],
            group_size=37,
            request=past.says("road"),
        )

    def on(self, day: str, hour: int = 10, minute: int = 0) -> datetime:
        return at(self.day(day), time(hour, minute), self.past.rt.desk.office.zone)

    def day(self, day: str) -> date:
        return date.fromisoformat(day if len(day) > 5 else f"2026-{day}") + self.moved

    def told(self) -> Story:
        self._again()
        self._met()
        self._agreed()
        self._closed_and_opened()
        self._closed_again()
        self.story.facts.sort(key=lambda fact: fact.order)
        return self.story

    def _again(self) -> None:
        """The ledger's old entries; then 37 people come, five speak for them, and a leader carries it."""
        story, says = self.story, self.past.says
        for day, words in (("2019-04-11", "road_first"), ("2021-09-03", "road_talks")):
            story.add(Event.NOTE, self.on(day), text=says(words))
        story.comes(self.on("03-02", 9))
        flagged(story, "repeated", "collective").taken_on(self.on("03-02", 11))
        story.add(Event.DONE, self.on("03-03"), "report_up", text=says("reported"))
        story.add(Event.SPONSOR, self.on("03-05"), person=self.past.person(SPONSOR).id, why="")

    def _met(self) -> None:
        """One of the five would rather come another day; the survey error is found; the leader goes there."""
        story, says, leader = self.story, self.past.says, self.past.person(SPONSOR).id
        put_in(story, self.on("03-05", 10, 30), "invited_meeting", **slot(self.day("03-06")), person=leader,
               place=says("town_hall"))  # fmt: skip
        story.add(Event.ASK_OTHER_DAY, self.on("03-05", 15), "invited_meeting")
        story.add(Event.MOVE, self.on("03-05", 16), "invited_meeting", **slot(self.day("03-09")),
                  asked_by="resident", confirmed=True)  # fmt: skip
        story.add(
            Event.VISITED, self.on("03-09", 16, 30), "invited_meeting", outcome="holds", text=says("met")
        )
        self._reviewed("03-17", "03-10", "")
        for key, day, words, owner in COMMITMENTS:
            self._promised(key, "03-17", day, words, owner)
        story.add(Event.DONE, self.on("03-17", 17), "plan", text=says("plan"))
        put_in(story, self.on("03-17", 17, 10), "outreach", **slot(self.day("03-24")), person=leader,
               place=story.party.village)  # fmt: skip
        story.add(Event.CONFIRM, self.on("03-18"), "outreach")
        went = says("road_went")
        story.add(Event.VISITED, self.on("03-24", 16, 30), "outreach", outcome="holds", text=went)
        story.add(Event.DONE, self.on("03-25", 9), "decision_note", text=says("minutes"))
        story.add(Event.NOTE, self.on("04-01"), text=story.matter("note"))
        for day in ("03-31", "04-10", "04-24", "05-06"):
            story.talked(self.on(day, 11))

    def _agreed(self) -> None:
        story, says = self.story, self.past.says
        self._reviewed("04-16", "04-09", ".2")
        reason, head = says("road_permit"), self.past.staff.head(story.handler.unit_id)
        asked = {"what": "approve_extension", "role": "unit_head", "said": f"30 · {reason}"}
        story.add(Event.TASK, self.on("04-20"), "extend.ask1", **asked)
        approver = head.name if head is not None else ""
        granted = self.on("04-21", 9)
        story.add(Event.EXTEND, granted, "handle", days=30, reason=reason, approver=approver)
        story.add(Event.DONE, granted + timedelta(minutes=5), "extend.ask1", text=says("road_granted"))
        put_in(story, self.on("05-12"), "agreement", text=says("road_agreed"))
        for key, day, words, owner in AGREED:
            self._promised(key, "05-12", day, words, owner)
        self._reviewed("05-15", "05-08", ".3")
        story.talked(self.on("05-20"))
        story.add(Event.ANSWER, self.on("05-26"), outcome="upheld", reason=says("road_answer"),
                  result=says("road_answer"), rule="")  # fmt: skip
        story.delivered(self.on("05-28"))

    def _closed_and_opened(self) -> None:
        """Closed; it held after a week; after a month the field gate had not been built."""
        story, says = self.story, self.past.says
        story.closed(self.on("06-02", 16))
        for key in ("rv1", "rv1_other"):
            story.add(Event.VISITED, self.on("06-09", 16), key, outcome="holds", text=says("looked_again"))
        gate = says("road_no_gate")
        story.add(Event.VISITED, self.on("07-02", 16), "rv2", outcome="partly", text=gate)
        story.add(Event.REOPEN, self.on("07-02", 16, 30), reason_text=gate)
        for day in ("07-03", "07-16", "07-29", "08-11"):
            story.talked(self.on(day))
        story.add(Event.NOTE, self.on("07-29", 11), text=says("road_ordered"))

    def _closed_again(self) -> None:
        story, says = self.story, self.past.says
        built = says("road_gate")
        story.add(Event.DONE, self.on("08-14"), "commitment.7", text=built)
        story.add(Event.ANSWER, self.on("08-14", 11), outcome="upheld", reason=built, result=built, rule="")
        story.delivered(self.on("08-17"))
        story.closed(self.on("08-17", 11))
        for day, key in (("08-24", "rv1"), ("09-16", "rv2"), ("11-12", "rv3")):
            outcome, words = ("partly", "road_drain") if key == "rv3" else ("holds", "looked_again")
            story.add(Event.VISITED, self.on(day, 15), f"{key}.2", outcome=outcome, text=says(words))
            words = "road_in_use" if key == "rv3" else "looked_again"
            other = f"{key}_other.2"
            story.add(Event.VISITED, self.on(day, 16), other, outcome="holds", text=says(words))

    def _reviewed(self, day: str, called: str, suffix: str) -> None:
        joint(self.story, self.day(day), f"joint_review{suffix}", self.day(called))
        reviewed(self.story, self.day(day), f"joint_review{suffix}", f"minutes{suffix}")

    def _promised(self, key: str, made: str, day: str, words: str, owner: str) -> None:
        """Whoever promised it keeps it by its day; the gate of the seventh comes later."""
        story, person = self.story, self.past.person(owner).id
        text = self.past.says(words)
        put_in(story, self.on(made, 17), key, day=self.day(day).isoformat(), person=person, text=text)
        if key != "commitment.7":
            story.add(Event.DONE, self.on(day, 15), key, text=self.past.says("road_kept"))


COMMITMENTS = (
    ("commitment", "04-03", "road_survey", "冯土根"),
    ("commitment.2", "04-10", "road_rate", "白洁"),
    ("commitment.3", "04-20", "road_forest", "黄志强"),
    ("commitment.4", "04-30", "road_funds", "路远"),
)
"""What the first joint review decided: key, day, what, who."""

AGREED = (
    ("commitment.5", "05-20", "paid", "何春生"),
    ("commitment.6", "05-26", "road_culvert", "路远"),
    ("commitment.7", "06-30", "road_gates", "黄志强"),
)
"""What the two villages agreed on 12 May."""


def linked(past: Past, party: Neighbour, number: str) -> Story:
    """Three households ask for a drain: a matter of its own that names the one it came from."""
    story = Story(past=past, handler=past.person(HANDLER), party=party, protocol="ordinary", category="land")
    story.group_size = 3
    story.request = past.says("road_drain_asked").format(no=number)
    came = max(date(2026, 11, 13) + shift(past.as_of), past.as_of - timedelta(days=MOST))
    day = min(came, past.working(past.as_of - timedelta(days=3)))
    story.comes(past.on(day, 9)).taken_on(past.on(day, 14))
    return story.add(Event.NOTE, past.on(day, 16), text=story.matter("note")).noted(day)


MOST = 42
"""Days an answer still leaves time for: the drain is not yet pressing, whenever the story is told."""
