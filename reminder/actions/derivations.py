"""Why is every date of a case what it is, who answers for it, and who will hear of it when?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from reminder.actions.accounts import Message, messages_of
from reminder.actions.desk import Actor, Desk
from reminder.actions.guard import permit
from reminder.actions.reminding import barred
from reminder.actions.scene import CaseScene, read_case
from reminder.actions.step_words import basis_in, step_in_words
from reminder.actions.whom import reached, responsible, who
from reminder.domain.cases import Event, Fact
from reminder.domain.deadline_words import Lang, amount_of
from reminder.domain.deadline_words import reached as stood_in_the_way
from reminder.domain.deadlines import Due
from reminder.domain.entries import Entry
from reminder.domain.people import Person, Role
from reminder.domain.planning import DAILY, DueStep, Told, steps
from reminder.domain.protocols import ANCHORS, EntryKind
from reminder.domain.said_dates import say_time, say_weekday_date
from reminder.domain.wanted import TASK, Reckoning, reckoned
from reminder.domain.workdays import local_day
from reminder.store import cases, overview, reminders, residents
from reminder.store.database import Tx

FAR = timedelta(days=40)
"""How long after its date the rungs of an entry are looked for; then the weekly one goes on."""

FORTNIGHT = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One telling still to come, if nothing happens until then."""

    at: datetime
    step: str
    """As the protocol writes it: "T-3", "T+1wd", "weekly"."""
    said: str
    """The same in words."""
    to: tuple[str, ...]
    """Names of colleagues; the word for the resident."""
    kind: str
    """Template; empty: the day's list."""
    reason: str = ""
    """Why it would not go as things stand; in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryWhy:
    """One entry of a case with its derivation. `lines` are sentences, first the sum, then each step."""

    key: str
    what: str
    kind: str
    status: str
    day: date | None
    provisional: bool
    is_open: bool
    basis: str
    responsible: tuple[str, ...]
    lines: tuple[str, ...]
    ladder: tuple[Rung, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWhy:
    """Everything there is to explain about a case."""

    number: str
    status: str
    protocol: str
    version: str
    entries: tuple[EntryWhy, ...]
    messages: tuple[Message, ...]


async def why_case(tx: Tx, desk: Desk, by: Actor, case_id: int, lang: str) -> CaseWhy:
    """Reads only. Open entries first, by date; then those that have ended."""
    await permit(tx, by, "why", case_id)
    scene = await read_case(tx, desk, case_id)
    told = reminders.told_in(await overview.reminders_of(tx, case_id))
    known = reckoned(scene.past, scene.protocol, scene.office)
    teller = _Teller(scene, known, lang, await _bar(tx, scene))
    shown = [e for e in scene.entries.values() if e.kind is not EntryKind.NOTICE]
    shown.sort(key=lambda e: (not e.is_open, e.due_at or scene.now, e.id))
    key, version = scene.row.protocol_held
    return CaseWhy(
        number=scene.row.case.number,
        status=scene.past.status.value,
        protocol=scene.protocol.names.get(lang, key),
        version=version,
        entries=tuple(teller.entry(entry, told.get(entry.id, [])) for entry in shown),
        messages=await messages_of(tx, scene, lang),
    )


async def _bar(tx: Tx, scene: CaseScene) -> str:
    """The reason why no resident of the case gets texts now; empty where one of them does."""
    parties = (await cases.parties(tx, [scene.row.case.id]))[scene.row.case.id]
    folk = await residents.many(tx, parties)
    held = await residents.phones(tx, scene.desk.sealer, parties)
    reasons = []
    for one in parties:
        texting = [phone for phone in held[one] if phone.texts]
        phone = next((p for p in texting if not p.opted_out), texting[0] if texting else None)
        reasons.append(barred(scene.row, folk[one], phone))
    return next((r.value for r in reasons if r is not None), "") if all(reasons) else ""


class _Teller:
    """Puts one case into the words of one language."""

    def __init__(self, scene: CaseScene, known: dict[str, Reckoning], lang: str, bar: str) -> None:
        self.scene = scene
        self.known = known
        self.lang = lang
        self.bar = bar
        self.words = scene.desk.templates
        self.spoken = Lang(lang) if lang in set(Lang) else Lang.EN
        self.today = local_day(scene.now, scene.office.zone)

    def word(self, key: str, **values: object) -> str:
        return self.words.word(key, self.lang, **values)

    def day(self, day: date) -> str:
        if isinstance(day, datetime):
            local = day.astimezone(self.scene.office.zone)
            return f"{say_weekday_date(local.date(), self.lang, self.today)} {local:%H:%M}"
        return say_weekday_date(day, self.lang, self.today)

    def entry(self, entry: Entry, told: Sequence[Told]) -> EntryWhy:
        milestone = self.scene.milestone(entry)
        reckoning = self.known.get(entry.key)
        return EntryWhy(
            key=entry.key,
            what=self.scene.what(entry, self.lang),
            kind=entry.kind.value,
            status=entry.status.value,
            day=entry.promise_on or entry.due_on,
            provisional=entry.provisional,
            is_open=entry.is_open,
            basis=basis_in(milestone.basis, self.lang) if milestone is not None else "",
            responsible=tuple(p.name for p in self.answering(entry)),
            lines=tuple(self.derived(entry, reckoning))
            if reckoning is not None
            else (self.word("reckon.gone"),),
            ladder=tuple(self.ladder(entry, told)) if entry.is_open else (),
        )

    def answering(self, entry: Entry) -> list[Person]:
        milestone = self.scene.milestone(entry)
        role = milestone.due_role if milestone is not None else Role.HANDLER
        if entry.kind is EntryKind.TASK and entry.detail.get("role"):
            role = Role(entry.detail["role"])
        return who(role, self.scene.row, self.scene.staff, entry) or self.stand_in()

    def stand_in(self) -> list[Person]:
        row = self.scene.row
        first = row.case.first_contact_id
        person = responsible(self.scene.staff, handler=row.handler_id, unit=row.unit_id, first=first)
        return [person] if person is not None else []

    # --- how its date was reached ---------------------------------------------------------------

    def derived(self, entry: Entry, made: Reckoning) -> Iterator[str]:
        anchor = self.anchor(made)
        start = self.day(local_day(made.at, self.scene.office.zone))
        if made.first is not None:
            yield from self.counted(anchor, made)
        elif made.chosen is not None:
            milestone = self.scene.milestone(entry)
            how = "reckon.season" if milestone is not None and milestone.season else "reckon.chosen"
            yield self.word(how, anchor=anchor, start=start, day=self.day(made.chosen))
            if entry.due_on is not None and entry.due_on != made.chosen:
                yield self.word("reckon.rolled", day=self.day(made.chosen), end=self.day(entry.due_on))
        else:
            yield self.word("reckon.at_once", anchor=anchor, start=start)
        if made.first is None and entry.provisional:
            yield self.word("reckon.provisional")
        yield from self.told_facts(entry)

    def anchor(self, made: Reckoning) -> str:
        milestone = self.scene.protocol.milestone(made.anchor)
        if milestone is not None:
            return self.word("reckon.after", what=milestone.words[self.lang])
        if made.anchor in ANCHORS or made.anchor == TASK:
            return self.word(f"anchor.{made.anchor}")
        return made.anchor

    def counted(self, anchor: str, made: Reckoning) -> Iterator[str]:
        first = made.first
        assert first is not None
        elapsed = first.limit.unit.elapsed
        start = self.day(made.at if elapsed else first.anchor)
        due = made.longer[-1][1] if made.longer else first
        key = "reckon.provisional_sum" if first.provisional else "reckon.sum"
        amount = amount_of(first.limit, self.spoken)
        yield self.word(key, anchor=anchor, start=start, amount=amount, end=self.day(first.nominal))
        yield self.word("reckon.elapsed" if elapsed else f"reckon.{first.count_from}")
        yield from self.steps(first)
        for fact, longer in made.longer:
            yield self.longer(fact, longer)
            yield from self.steps(longer)
        promise = due.promise
        if not elapsed and promise != due.effective:
            yield self.word("reckon.promise", day=self.day(promise), end=self.day(due.effective))

    def steps(self, due: Due) -> Iterator[str]:
        return (self.word("reckon.step", text=text) for text in stood_in_the_way(due, self.spoken))

    def longer(self, fact: Fact, due: Due) -> str:
        key = "reckon.suspended" if fact.event is Event.SUSPEND else "reckon.extended"
        person = self.scene.staff.people.get(fact.by or 0)
        by = str(fact.value.get("approver") or (person.name if person is not None else self.word("none")))
        return self.word(
            key,
            amount=amount_of(due.limit, self.spoken),
            by=by,
            why=str(fact.value.get("reason") or self.word("none")),
            start=self.day(due.anchor),
            end=self.day(due.nominal),
        )

    def told_facts(self, entry: Entry) -> Iterator[str]:
        """What happened to it since, and where that put it."""
        zone = self.scene.office.zone
        for fact in self.scene.past.about(entry.key):
            if fact.event not in _SINCE:
                continue
            person = self.scene.staff.people.get(fact.by or 0)
            by = person.name if person is not None else self.word("reckon.somebody")
            on, move = self.day(local_day(fact.at, zone)), self.word(f"move.{fact.event}")
            day = str(fact.value.get("day", ""))
            if day:
                yield self.word(
                    "reckon.moved", on=on, move=move, by=by, day=self.day(date.fromisoformat(day))
                )
            else:
                yield self.word("reckon.happened", on=on, move=move, by=by)
        if entry.starts_at is not None and entry.ends_at is not None:
            starts, ends = entry.starts_at.astimezone(zone), entry.ends_at.astimezone(zone)
            slot = say_time(starts.time(), ends.time(), self.lang)
            yield self.word("reckon.slot", day=self.day(starts.date()), slot=slot)
        if entry.reasoned_on is not None:
            yield self.word("reckon.reasoned", day=self.day(entry.reasoned_on))

    # --- who will hear of it --------------------------------------------------------------------

    def ladder(self, entry: Entry, told: Sequence[Told]) -> list[Rung]:
        """Dated rungs, then the first daily and the first weekly one; a day's list is one rung."""
        found: dict[object, Rung] = {}
        for step in _to_come(self.scene, entry, told):
            rung = Rung(
                at=step.at,
                step=step.key.rsplit(":", 1)[0] if step.roles else step.key,
                said=step_in_words(self.words, step.key, self.lang),
                to=self.whom(step, entry),
                kind=step.kind or "",
                reason=self.reason(step),
            )
            same = rung.at if not rung.kind else (rung.at, step.key)
            first = found.setdefault(same, rung)
            if first is not rung:
                found[same] = replace(first, to=tuple(dict.fromkeys([*first.to, *rung.to])))
        return list(found.values())

    def whom(self, step: DueStep, entry: Entry) -> tuple[str, ...]:
        if step.resident:
            return (self.word("bot.resident"),)
        if step.only:
            person = self.scene.staff.active(int(step.only.removeprefix("person:")))
            return (person.name,) if person is not None else ()
        day = local_day(step.at, self.scene.desk.office.zone)
        told = (reached(role, self.scene.row, self.scene.staff, entry, day=day) for role in step.roles)
        return tuple(dict.fromkeys(person.name for group in told for person in group))

    def reason(self, step: DueStep) -> str:
        if not step.resident:
            return ""
        if self.scene.past.paused:
            return self.word("why.paused")
        if step.blocked is not None:
            return self.word(f"why.{step.blocked}")
        return self.word(f"why.{self.bar}") if self.bar else ""


_SINCE = frozenset(
    {Event.PROPOSE, Event.MOVE, Event.CONFIRM, Event.DECLINE, Event.ASK_OTHER_DAY, Event.NOT_MET}
    | {Event.MISSED, Event.VISITED, Event.ADD, Event.DONE}
)
"""What is told of an entry besides its reckoning."""


def _to_come(scene: CaseScene, entry: Entry, told: Sequence[Told]) -> list[DueStep]:
    now, milestone = scene.now, scene.milestone(entry)
    base = max(now, entry.due_at or now)
    every = [s for s in steps(entry, milestone, scene.office, told, until=base + FAR) if s.at > now]
    dated = [s for s in every if not s.key.startswith((DAILY, "weekly"))]
    last = max([base, *(s.at for s in dated)])
    found = dated
    for name, start in ((DAILY, base), ("weekly", last)):
        again = steps(entry, milestone, scene.office, told, until=start + FORTNIGHT)
        found += [s for s in again if s.key.startswith(name) and s.at > now][:1]
    return sorted(found, key=lambda s: (s.at, s.key))
