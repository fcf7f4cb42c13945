"""Which commands does Telegram offer somebody behind the menu button: by role, in their language?"""

from reminder.bot.commands import menu_of
from reminder.domain.people import Person
from reminder.runtime import Runtime
from reminder.store import people

PAUSE = 30.0
"""Seconds before a bot that does not answer is asked for its name again."""


async def introduce(rt: Runtime) -> None:
    """Until every bot has said its name: links to a bot bear it."""
    while missing := [bot for bot in rt.bots if bot not in rt.bot_names]:
        for bot in missing:
            me = await rt.bots[bot].me()
            if isinstance(me, dict):
                rt.bot_names[bot] = str(me["username"])
        if any(bot not in rt.bot_names for bot in missing):
            await rt.clock.sleep(PAUSE)


async def set_menu(rt: Runtime, person: Person) -> None:
    """Tell Telegram. It holds for the person's chat, whatever language their phone speaks."""
    if rt.chat is None or person.chat_id is None:
        return
    async with rt.db.read() as tx:
        staff = await people.staff(tx)
    words = rt.desk.templates.word
    menu = [(name, words(f"help.{name}", person.lang)) for name in menu_of(person, staff)]
    await rt.chat.set_commands(person.chat, "", menu)


async def set_menus(rt: Runtime) -> int:
    """Everybody's, after a start with new words or roles; returns how many."""
    async with rt.db.read() as tx:
        staff = await people.staff(tx)
    joined = [p for p in staff.people.values() if p.active and p.chat_id is not None]
    for person in joined:
        await set_menu(rt, person)
    return len(joined)
