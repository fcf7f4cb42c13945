"""How does one more person come onto a case by chat?"""

from reminder.actions import parties
from reminder.actions.cases import NewParty
from reminder.bot.answers import Answer, says
from reminder.bot.arguments import case_of
from reminder.bot.choices import want
from reminder.bot.named import parts
from reminder.bot.turn import Turn
from reminder.domain.errors import Refused
from reminder.ledger.phones import read_phones


async def party(turn: Turn, args: str) -> Answer:
    """`/party NO role | name | number`: a representative, the other side, a proxy."""
    scene, rest = await case_of(turn, args)
    no = scene.row.case.number
    role, name, number, *_ = [*parts(rest), "", "", ""]
    if not role or not name:
        return Answer(cards=(await want(turn, f"party {no}", turn.word("ask.party", no=no)),))
    found = read_phones(number, turn.desk.office.regions)
    if number and (found.unread or not found.numbers):
        raise Refused("phone.unreadable")
    mobile = [one for one in found.numbers if one not in found.landlines]
    key = _role(turn, role)
    new = NewParty(name=name[:40], phones=mobile, landlines=found.landlines, role=key)
    await parties.add(turn.tx, turn.desk, turn.by, scene.row.case.id, new)
    return says(turn.word("bot.party_added", no=no, name=name[:40], role=turn.word(f"party.{key}")))


def _role(turn: Turn, said: str) -> str:
    """By its key or its word; what is neither is for the action to refuse."""
    templates = turn.desk.templates
    for role in parties.ROLES:
        words = {role, *(templates.word(f"party.{role}", lang).casefold() for lang in templates.languages)}
        if said.casefold() in words:
            return role
    return said
