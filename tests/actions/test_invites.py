"""Who gets in by an invitation? One person, once, in time (reliability, failure 30)."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from reminder.actions import people as joining
from reminder.domain.errors import Refused
from reminder.runtime import Runtime
from tests.office import actor, clock_of, office, person, write


async def code_for(rt: Runtime, who: str) -> str:
    admin, them = await actor(rt, "he"), await person(rt, who)
    made = await write(rt, lambda tx: joining.invite(tx, rt.desk, admin, them.id, bot_name="reminder_bot"))
    return made.code


async def redeem(rt: Runtime, code: str, chat_id: int) -> str:
    try:
        return (await write(rt, lambda tx: joining.enrol(tx, rt.desk, code, chat_id))).name
    except Refused as refused:
        return refused.key


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


@pytest.mark.failure(30)
async def test_of_fifty_who_use_a_link_at_once_one_gets_in(rt: Runtime) -> None:
    code = await code_for(rt, "chen")
    found = await asyncio.gather(*(redeem(rt, code, 900000 + n) for n in range(50)))
    assert found.count("陈立文") == 1
    assert found.count("enrol.bad_code") == 49
    winner = 900000 + found.index("陈立文")
    assert (await person(rt, "chen")).chat_id == winner


@pytest.mark.failure(30)
async def test_an_old_link_and_a_replaced_one_let_nobody_in(rt: Runtime) -> None:
    first, second = await code_for(rt, "chen"), await code_for(rt, "chen")
    assert await redeem(rt, first, 900001) == "enrol.bad_code"
    clock_of(rt).advance(joining.INVITE_LIFE + timedelta(seconds=1))
    assert await redeem(rt, second, 900001) == "enrol.bad_code"


@pytest.mark.sqlite
@pytest.mark.failure(30)
async def test_a_code_is_of_no_use_to_who_reads_the_database(tmp_path: Path) -> None:
    async with office(tmp_path) as rt:
        code = await code_for(rt, "chen")
        kept = everything_in(tmp_path)
    assert "陈立文".encode() in kept
    assert code.encode() not in kept
