"""How is a case, or every case of a protocol, put under another version by chat: shown first, then done?"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from reminder.actions import migrating
from reminder.actions.guard import permit
from reminder.actions.said_lines import Lines
from reminder.bot.answers import Answer, Card, says
from reminder.bot.arguments import case_of, is_number
from reminder.bot.choices import offer, want
from reminder.bot.deeds import deed
from reminder.bot.turn import Turn
from reminder.domain.errors import Refused
from reminder.store import people


async def change(turn: Turn, args: str) -> Answer:
    """`/protocol change NO KEY`: what would change; the number of broken promises confirms it."""
    await permit(turn.tx, turn.by, "protocol")
    scene, rest = await case_of(turn, args)
    no, words = scene.row.case.number, rest.split()
    if not words:
        options = [
            (f"{p.names.get(turn.lang, key)} ({key})", f"protocol change {no} {key}")
            for key, p in sorted(turn.desk.protocols.items())
            if not p.office
        ]
        return Answer(cards=(await offer(turn, turn.word("change.choose", no=no), options),))
    if len(words) == 3:
        return await _change(turn, no, words[0], words[1], _number(words[2]))
    if len(words) != 1:
        raise Refused("protocol.how")
    found = await migrating.would_change(turn.tx, turn.desk, turn.by, scene.row.case.id, words[0])
    lines = list(Lines(turn.desk, turn.lang).change(found))
    detail = {"no": no, "key": words[0], "shown": found.sign}
    line = f"protocol change {no} {words[0]} {found.sign}"
    return Answer(cards=(await _agree(turn, "protocol_change", detail, lines, line, found.promised),))


async def _agree(
    turn: Turn, do: str, detail: Mapping[str, Any], lines: list[str], line: str, promised: int
) -> Card:
    """A button; where promises would be broken, their number has to be written instead."""
    if not promised:
        return await turn.sure(do, detail, "\n".join(lines))
    return await want(turn, line, "\n".join([*lines, turn.word("change.repeat", n=promised)]))


def _number(said: str) -> int:
    if not is_number(said):
        raise Refused("protocol.how")
    return int(said)


async def sure_of_change(turn: Turn, asked: Mapping[str, Any]) -> Answer:
    return await _change(turn, str(asked["no"]), str(asked["key"]), str(asked["shown"]), 0)


async def _change(turn: Turn, no: str, key: str, shown: str, promised: int) -> Answer:
    scene, _ = await case_of(turn, no)
    case_id, number = scene.row.case.id, scene.row.case.number
    new = migrating.protocol_named(turn.desk, key).names.get(turn.lang, key)
    said = turn.word("change.done", no=number, new=new)

    def work() -> Awaitable[Any]:
        return migrating.change(turn.tx, turn.desk, turn.by, case_id, key, promised=promised, shown=shown)

    return Answer(cards=(await deed(turn, case_id, work, said),))


async def migrate(turn: Turn, args: str) -> Answer:
    """`/protocol migrate KEY`: what would change in every case under way that is behind."""
    await permit(turn.tx, turn.by, "protocol")
    words = args.split()
    if len(words) not in {1, 3}:
        raise Refused("protocol.how")
    key = migrating.protocol_named(turn.desk, words[0]).key
    if len(words) == 3:
        return await _migrated(turn, key, words[1], _number(words[2]))
    if not await migrating.behind(turn.tx, turn.desk, key):
        return says(turn.word("change.up_to_date", key=key))
    return Answer(then=lambda: _shown(turn, key))


async def _shown(turn: Turn, key: str) -> Answer:
    rt = turn.rt
    try:
        changes = await migrating.would_migrate(rt.db, rt.desk, turn.by, key)
    except Refused as refused:
        return says(rt.desk.templates.refusal(refused, turn.lang))
    lines = list(Lines(rt.desk, turn.lang).migration(key, changes))
    sign, promised = migrating.sign_of(changes), sum(one.promised for one in changes)
    async with rt.db.write() as tx:
        again = Turn(rt=rt, tx=tx, heard=turn.heard, person=turn.person, staff=await people.staff(tx))
        detail = {"key": key, "shown": sign}
        line = f"protocol migrate {key} {sign}"
        return Answer(cards=(await _agree(again, "protocol_migrate", detail, lines, line, promised),))


async def sure_of_migration(turn: Turn, asked: Mapping[str, Any]) -> Answer:
    return await _migrated(turn, str(asked["key"]), str(asked["shown"]), 0)


async def _migrated(turn: Turn, key: str, shown: str, promised: int) -> Answer:
    await permit(turn.tx, turn.by, "protocol")
    return Answer(then=lambda: _migrate(turn, key, shown, promised))


async def _migrate(turn: Turn, key: str, shown: str, promised: int) -> Answer:
    """Look once more; only what was agreed to is done."""
    rt, templates = turn.rt, turn.desk.templates
    try:
        changes = await migrating.would_migrate(rt.db, rt.desk, turn.by, key)
        if migrating.sign_of(changes) != shown:
            raise Refused("protocol.migrate_since", protocol=key)
        done = await migrating.migrate(rt.db, rt.desk, turn.by, key, changes, promised=promised)
    except Refused as refused:
        return says(templates.refusal(refused, turn.lang))
    lines = [turn.word("change.migrated", n=done.done, key=key)]
    lines += [
        turn.word("change.left", no=no, why=templates.refusal(refused, turn.lang))
        for no, refused in done.left
    ]
    return says("\n".join(lines))


VERBS: Mapping[str, Callable[[Turn, str], Awaitable[Answer]]] = {"change": change, "migrate": migrate}
"""Words after `/protocol` that lead here."""
