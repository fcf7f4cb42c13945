"""The world's news about a message reaches its reminder, and so its case, only here."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import assert_never

from reminder.actions.desk import Desk
from reminder.actions.replan import release
from reminder.actions.tasks import tell_otherwise
from reminder.domain.errors import Stale
from reminder.domain.messages import (
    Accepted,
    Answer,
    Declined,
    Delivered,
    Failed,
    News,
    NotSent,
    Refusal,
    Undelivered,
    Unknown,
)
from reminder.domain.people import Channel
from reminder.domain.reminders import State
from reminder.failpoints import failpoint
from reminder.store import cases, departures, holds, inbox, overview, people, receipts, reminders, residents
from reminder.store.database import Tx
from reminder.store.reminders import Reminder

LEASE = timedelta(seconds=30)
"""Longer than any call may take (its total deadline is 15 s): after it nobody waits for the answer."""

SETTLE = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
"""When an unclear SMS is looked up at the provider, counted from the attempt."""

BACKOFF = (30, 60, 120, 300, 600, 600, 600)
"""Seconds before each further try of what certainly did not go."""

MAX_ATTEMPTS = len(BACKOFF)


async def hear(tx: Tx, desk: Desk, token: str, news: News) -> None:
    """Take in one piece of news about the attempt `token`; hearing it twice changes nothing more.

    A result of an attempt that is no longer the current one is kept as evidence and decides nothing.
    """
    for _ in range(2):  # somebody may have moved it while we waited for the row: then as it is now
        reminder = await reminders.by_token(tx, token)
        if reminder is None:
            return
        try:
            if not isinstance(news, Delivered | Undelivered | Failed):
                await _answer(tx, desk, reminder, token, news)
            elif reminder.token == token:
                await _receipt(tx, desk, reminder, news)
        except Stale:
            continue
        return


async def hear_all(tx: Tx, desk: Desk, heard: Sequence[tuple[str, Answer]]) -> None:
    """As `hear`, for the answers to many calls: what simply went is written down together."""
    went = {token: news.provider_id for token, news in heard if isinstance(news, Accepted)}
    plain = await departures.under_way(tx, list(went)) if went else []
    early = await receipts.early(tx, list(went), list(went.values())) if went else set()
    taken = {one: went[one.token] for one in plain if not early & {one.token, went[one.token]}}
    now = desk.clock.now()
    await departures.taken_on(tx, taken, now=now)
    await cases.tell_each(
        tx, [(one.case_id, {"detail_id": one.id, "kind": one.kind}) for one in taken], now, "sent"
    )
    done = {one.token for one in taken}
    for token, news in await _by_case(tx, [(token, news) for token, news in heard if token not in done]):
        await hear(tx, desk, token, news)


async def _by_case(tx: Tx, heard: Sequence[tuple[str, Answer]]) -> list[tuple[str, Answer]]:
    """In the order of the cases, which may be locked: two who do this never wait for each other."""
    found = {token: await reminders.by_token(tx, token) for token, _ in heard}
    case_of = {token: row.case_id or 0 for token, row in found.items() if row is not None}
    return sorted(heard, key=lambda one: case_of.get(one[0], 0))


async def _answer(tx: Tx, desk: Desk, reminder: Reminder, token: str, news: Answer) -> None:
    current = reminder.token == token
    await _end_attempt(tx, desk, token, news)
    match news:
        case Accepted():
            if current or reminder.state is State.UNCERTAIN:
                await accepted(tx, desk, reminder, news.provider_id)
        case NotSent():
            if current:
                await _try_again(tx, desk, reminder, news)
        case Declined():
            if current:
                await _declined(tx, desk, reminder, news)
        case Unknown():
            if current:
                await _uncertain(tx, reminder, desk.clock.now() + SETTLE[0])
        case _:
            assert_never(news)


async def _end_attempt(tx: Tx, desk: Desk, token: str, news: Answer) -> None:
    provider_id = news.provider_id if isinstance(news, Accepted) else ""
    code = "" if isinstance(news, Accepted) else getattr(news, "code", str(news.reason))
    outcome = type(news).__name__.lower()
    now = desk.clock.now()
    await departures.end_attempt(tx, token, outcome=outcome, code=code, provider_id=provider_id, at=now)


async def accepted(tx: Tx, desk: Desk, reminder: Reminder, provider_id: str) -> None:
    """The provider has it, whether it told us so itself or its log did."""
    if reminder.state not in {State.SENDING, State.UNCERTAIN}:
        return
    fresh = await _taken_on(tx, desk, reminder, provider_id)
    early = await receipts.of(tx, token=reminder.token or "", provider_id=provider_id)
    for _, status, code in early:
        if fresh is not None and status in _FINAL:
            await _receipt(tx, desk, fresh, _FINAL[status](provider_id, code))
            fresh = await reminders.one(tx, reminder.id)


async def _taken_on(tx: Tx, desk: Desk, reminder: Reminder, provider_id: str) -> Reminder | None:
    now = desk.clock.now()
    sent = {"provider_id": provider_id, "sent_at": now, "reason": ""}
    if reminder.channel == Channel.TELEGRAM:
        sent["ended_at"] = now  # Telegram knows no receipts: sent is as far as it goes
    await reminders.move(tx, reminder.id, reminder.state, State.SENT, **sent)
    await cases.tell(tx, reminder.case_id, now, "sent", detail_id=reminder.id, kind=reminder.kind)
    return await reminders.one(tx, reminder.id)


_FINAL: Mapping[str, Callable[[str, str], Delivered | Undelivered]] = {
    "delivered": lambda provider_id, _code: Delivered(provider_id=provider_id),
    "undelivered": lambda provider_id, code: Undelivered(provider_id=provider_id, refusal=None, code=code),
    "failed": lambda provider_id, code: Undelivered(provider_id=provider_id, refusal=None, code=code),
}


async def _try_again(tx: Tx, desk: Desk, reminder: Reminder, news: NotSent) -> None:
    now = desk.clock.now()
    if reminder.attempts > MAX_ATTEMPTS:
        await _fail(tx, desk, reminder, news.reason)
        return
    pause = news.retry_after or timedelta(seconds=BACKOFF[reminder.attempts - 1])
    await reminders.move(
        tx, reminder.id, State.SENDING, State.PLANNED, send_after=now + pause, reason=news.reason
    )
    if news.retry_after is not None and reminder.channel == Channel.TELEGRAM:
        await holds.chat_waits(tx, reminder, now + pause)


async def _declined(tx: Tx, desk: Desk, reminder: Reminder, news: Declined) -> None:
    now = desk.clock.now()
    match news.reason:
        case Refusal.CONFIG:
            # Nothing is wrong with the message: it waits until a person has mended the account.
            pause = now + timedelta(seconds=BACKOFF[-1])
            await reminders.move(
                tx, reminder.id, State.SENDING, State.PLANNED, send_after=pause, reason=news.code
            )
            return
        case Refusal.MOVED if news.address and reminder.person_id is not None:
            await people.update(tx, reminder.person_id, chat_id=int(news.address))
            await reminders.move(tx, reminder.id, State.SENDING, State.PLANNED, send_after=now)
            return
        case Refusal.OPTED_OUT:
            await _opted_out(tx, desk, reminder, now)
        case Refusal.BLOCKED if reminder.person_id is not None:
            await people.update(tx, reminder.person_id, chat_id=None)
    await _fail(tx, desk, reminder, news.code)


async def _fail(tx: Tx, desk: Desk, reminder: Reminder, reason: str) -> None:
    now = desk.clock.now()
    await reminders.move(tx, reminder.id, State.SENDING, State.FAILED, reason=reason, ended_at=now)
    await _not_reached(tx, desk, reminder, now)


async def _opted_out(tx: Tx, desk: Desk, reminder: Reminder, now: datetime) -> None:
    """The provider knows of a STOP that we missed: our ledger learns it too."""
    # Also to a number that nobody holds: it wrote, and our answer is what was refused.
    assert reminder.phone_id is not None
    phone = await residents.phone(tx, desk.sealer, reminder.phone_id, reminder.resident_id)
    if phone is not None:
        sender = desk.sender
        await residents.opt_out(tx, desk.sealer, phone.number, sender=sender, source="provider", at=now)


async def _not_reached(tx: Tx, desk: Desk, reminder: Reminder, now: datetime) -> None:
    """Whoever was to hear this has not: a question stops waiting, and a person takes over."""
    await cases.tell(tx, reminder.case_id, now, "not_reached", detail_id=reminder.id, kind=reminder.kind)
    for question_id in await inbox.questions_of_reminder(tx, reminder.id):
        await release(tx, question_id, now)
    # An answer to somebody's own text is owed to nobody by telephone, least of all to a person who said stop.
    owed = reminder.resident_id is not None and not reminder.key.startswith("reply:")
    if owed and reminder.case_id is not None:
        await tell_otherwise(tx, desk, reminder.case_id, reminder.id)


async def _uncertain(tx: Tx, reminder: Reminder, look_at: datetime) -> None:
    await reminders.move(
        tx, reminder.id, State.SENDING, State.UNCERTAIN, lease_until=look_at, reason="unclear"
    )


async def _receipt(tx: Tx, desk: Desk, reminder: Reminder, news: Delivered | Undelivered | Failed) -> None:
    """A receipt moves the delivery, never the decision; late, doubled and reordered ones commute."""
    now = desk.clock.now()
    if reminder.state in {State.SENDING, State.UNCERTAIN}:
        # The receipt overtook the answer to the call: it proves the provider has the message.
        reminder = await _taken_on(tx, desk, reminder, news.provider_id) or reminder
    if reminder.state is not State.SENT:
        return
    if isinstance(news, Delivered):
        await reminders.move(tx, reminder.id, State.SENT, State.DELIVERED, ended_at=now)
        return
    await reminders.move(tx, reminder.id, State.SENT, State.UNDELIVERED, reason=news.code, ended_at=now)
    if news.refusal is Refusal.OPTED_OUT:
        await _opted_out(tx, desk, reminder, now)
    await _not_reached(tx, desk, reminder, now)


async def pressed(tx: Tx, desk: Desk, person_id: int, message_id: str, shown: str) -> None:
    """A button was pressed: whoever pressed it has the message, whatever we knew of its delivery.

    Only a message of theirs whose answer was lost, and whose text is the one shown, is meant by it.
    """
    if not shown or await reminders.of_person(tx, person_id, message_id) is not None:
        return
    for reminder in await overview.unclear_of(tx, person_id):
        attempt = (await reminders.attempts(tx, reminder.id))[-1]
        if desk.text_of(attempt).strip() == shown.strip():
            await accepted(tx, desk, reminder, message_id)
            return


async def lease_over(tx: Tx, desk: Desk, reminder: Reminder) -> None:
    """The sender died, or never answered: we do not know. Its call has long ended, so we look at once."""
    if reminder.state is State.SENDING:
        await _uncertain(tx, reminder, desk.clock.now())


async def give_up(tx: Tx, desk: Desk, reminder: Reminder, reason: str) -> None:
    """Uncertain for good: recorded as unknown; a person makes sure a resident heard."""
    failpoint("settle.before_giving_up")
    now = desk.clock.now()
    await reminders.move(tx, reminder.id, State.UNCERTAIN, State.UNKNOWN, reason=reason, ended_at=now)
    await _not_reached(tx, desk, reminder, now)


async def once_more(tx: Tx, desk: Desk, reminder: Reminder) -> None:
    """Send an unclear message a second and last time, with a new attempt id and, to staff, a visible mark."""
    failpoint("settle.before_resend")
    now = desk.clock.now()
    await reminders.move(
        tx, reminder.id, State.UNCERTAIN, State.PLANNED, send_after=now, repeated=True, reason="unclear"
    )


async def still_unclear(tx: Tx, reminder: Reminder, started_at: datetime) -> bool:
    """Look again at the next of the fixed moments; False when there is none left."""
    assert reminder.lease_until is not None
    for wait in SETTLE:
        if started_at + wait > reminder.lease_until:
            await reminders.update(tx, reminder.id, lease_until=started_at + wait)
            return True
    return False


def useful(reminder: Reminder, now: datetime) -> bool:
    return reminder.useless_at is None or reminder.useless_at > now
