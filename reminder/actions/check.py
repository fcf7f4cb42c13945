"""Proves over the whole database: every open case has a next date and a person, no message hangs."""

from dataclasses import dataclass
from datetime import timedelta

from reminder.actions import versions
from reminder.actions.desk import Desk
from reminder.domain.cases import ENDED, history
from reminder.domain.entries import Wanted
from reminder.domain.planning import difference
from reminder.domain.reminders import RECEIPT_WAIT
from reminder.domain.wanted import wanted
from reminder.store import audit, cases, entries, loose, reminders, switches
from reminder.store.database import Tx

BATCH = 200

SLACK = timedelta(hours=1)
"""How long after its bound a message may still be found as it is: jobs run every few minutes at most."""

LATELY = timedelta(days=7)
"""What could not be written is told for so long; its row stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken promise: which rule, which case."""

    rule: str
    case: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.case}: {self.rule}" + (f" ({self.detail})" if self.detail else "")


async def violations(tx: Tx, desk: Desk) -> list[Violation]:
    """Every violation, by recomputing each case from its facts and comparing with what is kept."""
    found: list[Violation] = []
    ids = await cases.ids(tx)
    for start in range(0, len(ids), BATCH):
        found += await _of_batch(tx, desk, ids[start : start + BATCH])
    found += await _of_messages(tx, desk)
    broken = await audit.broken_at(tx)
    if broken is not None:
        found.append(Violation(rule="audit_chain_broken", case="-", detail=f"row {broken}"))
    return found


async def _of_batch(tx: Tx, desk: Desk, ids: list[int]) -> list[Violation]:
    rows = await cases.many(tx, ids)
    facts = await cases.facts(tx, ids)
    kept = await entries.of(tx, ids)
    found: list[Violation] = []
    for case_id in ids:
        row = rows[case_id]
        no = row.case.number
        await versions.at_hand(tx, desk, row)
        if not desk.knows(row):
            found.append(Violation(rule="protocol_missing", case=no, detail=row.protocol))
            continue
        if row.protocol_held in desk.unreadable and row.status not in ENDED:
            held = " ".join(row.protocol_held)
            found.append(Violation(rule="protocol_version_unreadable", case=no, detail=held))
        past = history(facts[case_id], direct_answer=row.case.direct_answer)
        protocol = desk.protocol_of(row)
        should = wanted(past, protocol, desk.office_for(protocol))
        if difference(should, kept[case_id], now=desk.clock.now()):
            found.append(Violation(rule="plan_out_of_date", case=no))
        if past.status.value != row.status:
            found.append(Violation(rule="status_out_of_date", case=no, detail=row.status))
        if past.status in ENDED:
            continue
        if row.responsible_id is None:
            found.append(Violation(rule="nobody_responsible", case=no))
        if not any(_keeps(entry) for entry in kept[case_id].values()):
            found.append(Violation(rule="no_next_date", case=no, detail=past.status.value))
    return found


async def _of_messages(tx: Tx, desk: Desk) -> list[Violation]:
    """I-4: nothing hangs beyond its bound. I-7: whoever was to hear has, or a reason says why not."""
    now = desk.clock.now()
    late, lately = now - SLACK, now - LATELY
    armed = (await switches.get(tx)).armed(desk.instance)
    messages = {
        "message_unclear": await reminders.flying(tx, late, loose.MOST),
        "message_too_late": await loose.too_late(tx, late) if armed else [],
        "text_without_news": await loose.without_news(tx, late - RECEIPT_WAIT),
        "message_unmade": await loose.unmade(tx, lately),
        "message_unexplained": await loose.unexplained(tx, lately),
    }
    unwritten = await loose.unwritten(tx, late)
    named = {r.case_id for rows in messages.values() for r in rows if r.case_id is not None}
    rows = await cases.many(tx, sorted(named | set(unwritten)))

    def broken(rule: str, case_id: int | None, detail: str) -> Violation:
        no = rows[case_id].case.number if case_id in rows else "-"
        return Violation(rule=rule, case=no, detail=detail)

    found = [
        broken(rule, r.case_id, f"{r.kind} {r.reason}".strip()) for rule in messages for r in messages[rule]
    ]
    return found + [broken("reminder_unwritten", case_id, "") for case_id in dict.fromkeys(unwritten)]


def _keeps(entry: Wanted) -> bool:
    return entry.keeps_case_alive
