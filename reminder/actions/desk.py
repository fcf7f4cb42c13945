"""What every decision needs besides its transaction: the office, its protocols, its words, its keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reminder.clock import Clock
from reminder.domain.offices import Office
from reminder.domain.people import Person
from reminder.domain.protocols import Protocol
from reminder.domain.workdays import Hours, WorkCalendar
from reminder.kinds import Kind
from reminder.render import Templates
from reminder.store.cases import CaseRow
from reminder.store.seal import Sealer


@dataclass(slots=True, kw_only=True)
class Desk:
    """Read-only but for its calendars; `calendar_of` gives the one of a code such as "GB-ENG"."""

    office: Office
    protocols: Mapping[str, Protocol]
    templates: Templates
    sealer: Sealer
    clock: Clock
    new_id: Callable[[], str]
    calendar_of: Callable[[str], WorkCalendar]
    sender: str = ""
    instance: str = ""
    """The machine that may send from the database; empty: nobody asks, in a play or a test."""
    versions: Mapping[tuple[str, str], Protocol] = field(default_factory=dict)
    """Protocols as they were when live cases started with them, by key and version."""
    unreadable: set[tuple[str, str]] = field(default_factory=set)
    """Versions that cases hold and that cannot be read again; the protocol of today stands in."""
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The files each protocol was read from, its includes too, by key and then by name."""
    calendar_sign: str = ""
    """Of the marks and years of the database it counts with; empty: none."""
    _offices: dict[tuple[str, str], Office] = field(default_factory=dict)
    _plain: tuple[Office, Callable[[str], WorkCalendar]] | None = None

    def use_calendars_of(self, other: "Desk") -> None:
        """From now on count as the other desk does; the entries follow by replanning."""
        self._plain = self._plain or (self.office, self.calendar_of)
        self.office, self.calendar_of = other.office, other.calendar_of
        self.calendar_sign = other.calendar_sign
        self._offices.clear()

    def plain(self) -> "Desk":
        """The desk as its settings made it, without what the database says of days."""
        if self._plain is None:
            return self
        office, calendar_of = self._plain
        return replace(self, office=office, calendar_of=calendar_of, calendar_sign="", _offices={})

    def protocol(self, key: str, version: str = "") -> Protocol:
        """The protocol as a live case holds it; the one of today where that version is not kept."""
        return self.versions.get((key, version)) or self.protocols[key]

    def knows(self, row: CaseRow) -> bool:
        """Whether the protocol of a case can still be read."""
        return row.protocol_held in self.versions or row.protocol in self.protocols

    def protocol_of(self, row: CaseRow) -> Protocol:
        return self.protocol(*row.protocol_held)

    def office_for(self, protocol: Protocol) -> Office:
        """The office as one protocol sees it: its own calendar, its own texting hours."""
        held = (protocol.key, protocol.version)
        if held not in self._offices:
            hours = protocol.contact_hours
            self._offices[held] = replace(
                self.office,
                calendar=self.calendar_of(protocol.calendar),
                texting=Hours(start=hours[0], end=hours[1]) if hours else self.office.texting,
            )
        return self._offices[held]

    def new_attempt(self) -> str:
        """An id that sorts by its moment: a database adds it at the end of its indexes, not just anywhere."""
        return f"{round(self.clock.now().timestamp() * 1000):011x}-{self.new_id()}"

    def text_of(self, attempt: Mapping[str, Any]) -> str:
        """The words of an attempt, as they were sent; `attempt` has its token and what was sealed."""
        return self.sealer.open(attempt["sealed"], bound_to=_attempt(attempt["token"]))

    def sealed_text(self, token: str, text: str) -> bytes:
        """The other way round."""
        return self.sealer.seal(text, bound_to=_attempt(token))

    def kind(self, name: str) -> Kind:
        return self.templates.kind(name)


def _attempt(token: str) -> str:
    return f"attempts|sealed|{token}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts; `person` None is the office's own clockwork. The same `source` acts once."""

    person: Person | None = None
    source: str | None = None

    @property
    def id(self) -> int | None:
        return self.person.id if self.person is not None else None


CLOCKWORK = Actor()
