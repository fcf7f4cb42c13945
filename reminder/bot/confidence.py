"""How is a matter kept in confidence, and an old one erased, by chat?"""

from collections.abc import Mapping
from typing import Any

from reminder.actions import confidence, erasure
from reminder.bot.answers import Answer, says
from reminder.bot.arguments import case_of
from reminder.bot.named import called, unit_first
from reminder.bot.turn import Turn

OFF = "off"


async def confide(turn: Turn, args: str) -> Answer:
    """`/confidential NO [UNIT it is about]`, `/confidential NO off`."""
    scene, rest = await case_of(turn, args)
    no, case_id = scene.row.case.number, scene.row.case.id
    if called(turn, rest, (OFF,), "confide"):
        await confidence.disclose(turn.tx, turn.desk, turn.by, case_id)
        return says(turn.word("bot.disclosed", no=no))
    unit = unit_first(turn, rest)[0] if rest else None
    await confidence.confide(turn.tx, turn.desk, turn.by, case_id, unit.id if unit is not None else None)
    if unit is None:
        return says(turn.word("bot.confided", no=no))
    return says(turn.word("bot.confided_about", no=no, unit=unit.name))


async def erase(turn: Turn, args: str) -> Answer:
    """`/erase NO`: names, numbers and words of a case put away; asked first, there is no way back."""
    scene, _ = await case_of(turn, args)
    await erasure.ready(turn.tx, turn.desk, turn.by, scene.row.case.id)
    no = scene.row.case.number
    return Answer(cards=(await turn.sure("erase", {"no": no}, turn.word("ask.sure_erase", no=no)),))


async def sure_of_erasure(turn: Turn, asked: Mapping[str, Any]) -> Answer:
    scene, _ = await case_of(turn, str(asked["no"]))
    await erasure.erase(turn.tx, turn.desk, turn.by, scene.row.case.id)
    return says(turn.word("bot.erased", no=scene.row.case.number))
