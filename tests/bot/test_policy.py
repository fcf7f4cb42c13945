"""Who may use which command: exactly what the policy table says, and nobody anything else."""

from pathlib import Path

import pytest

from reminder.bot.commands import COMMANDS, MENU, Command, help_, menu_of
from reminder.channels.memory import MemoryChat
from reminder.domain.people import Role
from reminder.domain.policy import POLICY
from reminder.runtime import Runtime
from reminder.store import people
from tests.office import STAFF, a_case, hear, office, person, read, write

ME = STAFF["chen"].chat


async def say(rt: Runtime, text: str, number: int) -> str:
    """What the bot answers to chen."""
    chat = {"id": ME, "type": "private"}
    sender = {"id": ME, "is_bot": False, "first_name": "x"}
    message = {"message_id": number, "from": sender, "chat": chat, "text": text}
    assert isinstance(rt.chat, MemoryChat)
    before = len(rt.chat.ledger)
    await hear(rt, {"update_id": number, "message": message})
    return "\n".join(entry.text for entry in rt.chat.ledger[before:])


async def only(rt: Runtime, person_id: int, *roles: Role) -> None:
    await write(rt, lambda tx: people.set_roles(tx, person_id, roles))


def told_whose(name: str, said: str) -> bool:
    """Commands that take no number are refused with whom to ask."""
    return said.startswith(f"/{name} 由") and not COMMANDS[name].case


async def test_a_refused_command_without_a_number_says_whose_it_is(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        for number, name in enumerate(("status", "people", "invite"), 1):
            assert (
                await say(rt, f"/{name}", number)
                == f"/{name} 由管理员使用，什么都没有改。需要的话请找管理员。"
            )


async def test_every_cell_of_command_and_role_follows_the_table(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        await a_case(rt)
        chen = await person(rt, "chen")
        refused = rt.desk.templates.word("refused.person.not_allowed", "zh")
        number = 0
        for role in Role:
            await only(rt, chen.id, role)
            for name, command in COMMANDS.items():
                number += 1
                said = await say(rt, f"/{name}", number)
                assert (said != refused and not told_whose(name, said)) == (
                    role in POLICY[command.action][0]
                ), (role, name, said)


async def test_without_a_role_nothing_is_allowed(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        chen = await person(rt, "chen")
        await only(rt, chen.id)
        refused = rt.desk.templates.word("refused.person.not_allowed", "zh")
        for number, name in enumerate(COMMANDS, 1):
            said = await say(rt, f"/{name}", number)
            assert said == refused or told_whose(name, said)


def test_a_command_without_a_row_in_the_table_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="policy table"):
        Command(run=help_, action="broadcast")


async def test_every_command_has_its_line_of_help_in_both_languages(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        for lang in ("zh", "en"):
            assert all(rt.desk.templates.word(f"help.{name}", lang) for name in COMMANDS)


async def test_help_lists_what_a_role_may_use_and_nothing_else(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        chen = await person(rt, "chen")
        for number, role in enumerate(Role, 1):
            await only(rt, chen.id, role)
            lines = (await say(rt, "/help", number)).splitlines()[1:]
            shown = {line.split()[0][1:] for line in lines}
            assert shown == {n for n, c in COMMANDS.items() if role in POLICY[c.action][0]}


async def test_a_menu_holds_eight_at_most_and_only_what_is_allowed(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        staff = await read(rt, people.staff)
        menus = {p.name: menu_of(p, staff) for p in staff.people.values()}
        assert all(1 <= len(menu) <= MENU and menu[-1] == "help" for menu in menus.values())
        assert menus["陈立文"][:4] == ["today", "week", "overdue", "case"]
        assert {"people", "invite", "import", "status"} <= set(menus["何晓云"])
        assert "import" not in menus["陈立文"]
