"""What can be looked up by chat: one's day and week, what is late, a case, and why something was sent?"""

from collections.abc import Sequence
from datetime import timedelta

from reminder.actions import people
from reminder.actions.cases import find
from reminder.actions.derivations import why_case
from reminder.actions.guard import permit
from reminder.actions.overview import coming
from reminder.actions.preview import Coming, texts_of
from reminder.actions.said_lines import Lines
from reminder.bot import cards
from reminder.bot.answers import Answer, says
from reminder.bot.arguments import case_of, numbered
from reminder.bot.choices import offer
from reminder.bot.deeds import say_moment
from reminder.bot.turn import Turn
from reminder.domain.errors import Refused
from reminder.domain.numbers import is_case_number
from reminder.longtext import clip

MOST_DAYS = 60
PREVIEWED = 40
"""Lines of a preview."""


async def today(turn: Turn, args: str) -> Answer:  # noqa: ARG001
    """`/today`: the same message as the morning's, as things stand now."""
    return Answer(cards=(await cards.digest(turn),))


async def week(turn: Turn, args: str) -> Answer:  # noqa: ARG001
    """`/week`: the next seven days and what is late."""
    return Answer(cards=(await cards.listing(turn, cards.WEEK),))


async def overdue(turn: Turn, args: str) -> Answer:  # noqa: ARG001
    """`/overdue`: what is late."""
    return Answer(cards=(await cards.listing(turn, cards.OVERDUE),))


async def case(turn: Turn, args: str) -> Answer:
    """`/case NO`: everything about one case."""
    scene, _ = await case_of(turn, args)
    return Answer(cards=(await cards.case_card(turn, scene.row.case.id),))


async def why(turn: Turn, args: str) -> Answer:
    """`/why NO`: how every date of the case was reached, who hears of it, and every message about it."""
    scene, _ = await case_of(turn, args)
    found = await why_case(turn.tx, turn.desk, turn.by, scene.row.case.id, turn.lang)
    return says("\n".join(Lines(turn.desk, turn.lang).case(found)))


async def preview(turn: Turn, args: str) -> Answer:
    """`/preview [days]`, `/preview NO`: what will go to whom if nothing more happens; 3 days unless told."""
    await permit(turn.tx, turn.by, "preview")
    number, rest = numbered(args)
    if is_case_number(number) and not rest:
        return await _of_case(turn, number)
    if args.strip() and (rest or not number or not 1 <= int(number) <= MOST_DAYS):
        raise Refused("preview.how", said=clip(args.strip(), 40), most=MOST_DAYS)
    days = int(number) if number else 3
    found = await coming(turn.tx, turn.desk, turn.rt.clock.now() + timedelta(days=days))
    return _previewed(turn, turn.word("bot.preview_head", days=days, n=len(found)), found)


async def _of_case(turn: Turn, number: str) -> Answer:
    case_id = await find(turn.tx, turn.by, number)
    until = turn.rt.clock.now() + timedelta(days=MOST_DAYS)
    found = [(number, one) for one in await texts_of(turn.tx, turn.desk, case_id, until=until)]
    return _previewed(turn, turn.word("bot.preview_case", no=number, days=MOST_DAYS, n=len(found)), found)


def _previewed(turn: Turn, head: str, found: Sequence[tuple[str, Coming]]) -> Answer:
    lines = [head]
    for no, one in found[:PREVIEWED]:
        gist = f"gist.{one.kind}"
        what = turn.word(gist if turn.desk.templates.has_word(gist) else "bot.staff_message")
        to = turn.word("bot.resident") if one.segments else one.recipient_name
        lines.append(f"· {say_moment(turn, one.at)} {no} {what} → {to}")
    if len(found) > PREVIEWED:
        lines.append(turn.word("bot.texts_more", n=len(found) - PREVIEWED))
    return says("\n".join(lines))


async def lang(turn: Turn, args: str) -> Answer:
    """`/lang zh|en`: the language of everything the bot says to this person."""
    said = args.strip().casefold()
    if not said:
        known = turn.desk.templates.languages
        options = [(turn.desk.templates.word("bot.this_language", one), f"lang {one}") for one in known]
        return Answer(cards=(await offer(turn, turn.word("ask.lang"), options, 2),))
    named = {
        turn.desk.templates.word("bot.this_language", one).casefold(): one
        for one in turn.desk.templates.languages
    }
    said = named.get(said, said)
    await people.set_language(turn.tx, turn.desk, turn.by, said)
    fresh = await people.known(turn.tx, turn.heard.user)
    return says(turn.desk.templates.word("bot.lang_set", said)).also(menu=fresh)
