"""What an office is: one deployment, one time zone, one set of hours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from reminder.domain.workdays import Hours, WorkCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """`phone` is the number residents may ring; `signatures`, by language, are what texts begin with."""

    zone: ZoneInfo
    calendar: WorkCalendar
    lang: str = "zh"
    name: str = ""
    signatures: Mapping[str, str] = field(default_factory=dict)
    phone: str = ""
    texting: Hours = field(default_factory=lambda: Hours(start=time(8), end=time(20)))
    digest_at: time = time(8, 10)
    offers_at: time = time(10)
    """When texts to residents go that name no hour."""
    slot: tuple[time, time] = (time(9), time(11))
    undo: timedelta = timedelta(seconds=30)
    regions: tuple[str, ...] = ("CN", "US")
    daily_cap: int = 2
    review_body: Mapping[str, str] = field(default_factory=dict)
    review_days: int = 30
    sms_replies: bool = True
    """Whether the provider can receive; if not, questions go out in their one-way wording."""
    sms_adds_signature: bool = False

    def signature(self, lang: str) -> str:
        return self.signatures.get(lang) or self.name
