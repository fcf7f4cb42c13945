"""How does one more person come onto a case by chat?"""

from reminder.actions import parties
from reminder.actions.cases import NewParty
from reminder.bot.answers import Answer, says
from reminder.bot.arguments import case_of, phones_in
from reminder.bot.choices import want
from reminder.bot.named import called, parts
from reminder.bot.turn import Turn


async def party(turn: Turn, args: str) -> Answer:
    """`/party NO role | name | number`: a representative, the other side, a proxy."""
    scene, rest = await case_of(turn, args)
    no = scene.row.case.number
    role, name, number, *_ = [*parts(rest), "", "", ""]
    if not role or not name:
        return Answer(cards=(await want(turn, f"party {no}", turn.word("ask.party", no=no)),))
    mobile, landlines = phones_in(turn, number) if number else ([], [])
    key = called(turn, role, parties.ROLES, "party") or role  # what is neither is for the action to refuse
    new = NewParty(name=name[:40], phones=mobile, landlines=landlines, role=key)
    await parties.add(turn.tx, turn.desk, turn.by, scene.row.case.id, new)
    return says(turn.word("bot.party_added", no=no, name=name[:40], role=turn.word(f"party.{key}")))
