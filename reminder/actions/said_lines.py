"""How are an explained case, a rehearsal and a change of protocol laid out in lines for people?"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from reminder.actions.accounts import Fate, Message
from reminder.actions.derivations import CaseWhy, EntryWhy, Rung
from reminder.actions.desk import Desk
from reminder.actions.migrating import Change, Shift
from reminder.actions.preview import Coming
from reminder.domain.people import Channel
from reminder.domain.said_dates import say_weekday_date
from reminder.domain.workdays import local_day
from reminder.longtext import clip

SHOWN = 5
"""Messages and cases told in full; the others by number."""


class Lines:
    """The words of one language at one moment."""

    def __init__(self, desk: Desk, lang: str) -> None:
        self.desk = desk
        self.lang = lang
        self.today = local_day(desk.clock.now(), desk.office.zone)

    def word(self, key: str, /, **values: object) -> str:
        return self.desk.templates.word(key, self.lang, **values)

    def at(self, moment: datetime) -> str:
        local = moment.astimezone(self.desk.office.zone)
        return f"{say_weekday_date(local.date(), self.lang, self.today)} {local:%H:%M}"

    def day(self, iso: str | None) -> str:
        if iso is None:
            return self.word("none")
        return say_weekday_date(date.fromisoformat(iso), self.lang, self.today)

    def names(self, names: Sequence[str]) -> str:
        return self.word("separator").join(names) if names else self.word("derived.nobody")

    # --- one case explained ---------------------------------------------------------------------

    def case(self, why: CaseWhy) -> list[str]:
        status = self.word(f"status.{why.status}")
        version = why.version or self.word("none")
        head = self.word("derived.head", no=why.number, status=status, protocol=why.protocol, version=version)
        return [head, *(line for entry in why.entries for line in self.entry(entry)), *self.messages(why)]

    def entry(self, entry: EntryWhy) -> Iterator[str]:
        day = self.day(entry.day.isoformat() if entry.day is not None else None)
        state = self.word(f"state.{entry.status}")
        yield self.word("derived.entry", what=entry.what, day=day, state=state)
        yield from (f"  {line}" for line in entry.lines)
        if not entry.is_open:
            return
        if entry.basis:
            yield "  " + self.word("derived.basis", basis=entry.basis)
        yield "  " + self.word("derived.responsible", names=self.names(entry.responsible))
        if entry.ladder:
            yield "  " + self.word("derived.ladder")
            yield from (f"    {self.rung(rung)}" for rung in entry.ladder)

    def rung(self, rung: Rung) -> str:
        what = self.kind(rung.kind) if rung.kind else self.word("rung.listed")
        told = {"at": self.at(rung.at), "step": rung.said, "names": self.names(rung.to), "what": what}
        if rung.reason:
            return self.word("derived.rung_held", **told, reason=rung.reason)
        return self.word("derived.rung", **told)

    def kind(self, kind: str) -> str:
        key = f"gist.{kind}"
        return self.word(key if self.desk.templates.has_word(key) else "bot.staff_message")

    def messages(self, why: CaseWhy) -> Iterator[str]:
        for fate in Fate:
            found = [one for one in why.messages if one.fate is fate]
            yield self.word(f"fate.{fate}") + ("" if found else " " + self.word("none"))
            if fate is Fate.LISTED:
                yield from self.listed(found)
                continue
            for one in found:
                told = {"at": self.at(one.at), "what": one.what, "to": one.to, "state": one.state}
                if one.reason:
                    yield "· " + self.word("derived.message_why", **told, reason=one.reason)
                else:
                    yield "· " + self.word("derived.message", **told)

    def listed(self, found: Sequence[Message]) -> Iterator[str]:
        """What went into people's daily lists, by person."""
        for to in dict.fromkeys(one.to for one in found):
            days = [one.at for one in found if one.to == to]
            first, last = self.at(days[0]), self.at(days[-1])
            yield "· " + self.word("derived.listed", to=to, n=len(days), first=first, last=last)

    # --- a rehearsal ----------------------------------------------------------------------------

    def rehearsal(self, found: Sequence[tuple[str, Coming]], days: int) -> Iterator[str]:
        parts = sum(one.segments for _, one in found)
        yield self.word("rehearsal.head", days=days, n=len(found), parts=parts)
        for no, one in found:
            told = {"at": self.at(one.at), "no": no, "to": one.recipient_name}
            if one.channel is Channel.SMS:
                yield self.word("rehearsal.line_sms", **told, parts=one.segments)
            else:
                yield self.word("rehearsal.line", **told, channel=one.channel.value.capitalize())
            yield from (f"    {line}" for line in one.text.splitlines())
        yield self.word("rehearsal.digests")

    # --- a change of protocol -------------------------------------------------------------------

    def change(self, change: Change) -> Iterator[str]:
        old, new = (f"{key} {version}".strip() for key, version in (change.old, change.new))
        yield self.word("change.head", no=change.number, old=old, new=new)
        yield from self.shifts(change)
        yield self.word("change.told_head", n=len(change.told))
        for one in change.told[:SHOWN]:
            text = clip(" ".join(one.text.split()), 300)
            yield self.word("change.told", at=self.at(one.at), to=one.recipient_name, text=text)
        if len(change.told) > SHOWN:
            yield self.word("change.told_more", n=len(change.told) - SHOWN)
        yield self.word("change.kept", n=len(change.kept))
        if change.promised:
            yield self.word("change.promised", n=change.promised)

    def shifts(self, change: Change) -> Iterator[str]:
        parts = (("moved", change.moved), ("begun", change.begun), ("void", change.void))
        for part, shifts in parts:
            for one in shifts:
                yield self.word(f"change.{part}{self.mark(part, one)}", **self.dates(one))

    def mark(self, part: str, shift: Shift) -> str:
        return "_promised" if part == "void" and shift.promised else ""

    def dates(self, shift: Shift) -> dict[str, str]:
        return {"what": shift.what(self.lang), "before": self.day(shift.old), "after": self.day(shift.new)}

    def migration(self, key: str, changes: Sequence[Change], *, most: int | None = SHOWN) -> Iterator[str]:
        """The sums first, then the cases one by one, at most so many."""
        sums = {
            name: sum(len(getattr(change, name)) for change in changes)
            for name in ("kept", "moved", "begun", "void", "told")
        }
        promised = sum(change.promised for change in changes)
        if promised:
            yield self.word("change.promised", n=promised)
        yield self.word("change.sum", key=key, n=len(changes), **sums)
        for change in changes[:most]:
            yield from self.change(change)
        if most is not None and len(changes) > most:
            yield self.word("change.more", n=len(changes) - most)
