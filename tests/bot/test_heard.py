"""Who sent something is a number a person of Telegram can have, or it is from nobody."""

from typing import Any

import pytest

from reminder.bot.heard import hear

CHAT = {"id": 700004, "type": "private"}
NOBODY: list[Any] = [None, True, 0, -5, 2**53, 10**30, 1.5, "700004", [], {}]


@pytest.mark.parametrize("number", NOBODY, ids=str)
def test_a_number_no_person_has_is_nobody(number: Any) -> None:
    sender = {"id": number, "is_bot": False}
    assert hear(1, {"update_id": 1, "message": {"chat": CHAT, "from": sender, "text": "/today"}}) is None
    query = {"id": "q", "from": sender, "message": {"message_id": 3, "chat": CHAT}, "data": "v1:nop:0:0"}
    assert hear(1, {"update_id": 1, "callback_query": query}) is None


@pytest.mark.parametrize("number", NOBODY, ids=str)
def test_a_message_without_a_number_is_not_redrawn(number: Any) -> None:
    sender = {"id": 700004, "is_bot": False}
    query = {"id": "q", "from": sender, "message": {"message_id": number, "chat": CHAT}, "data": "v1:nop:0:0"}
    heard = hear(1, {"update_id": 1, "callback_query": query})
    assert heard is not None
    assert (heard.user, heard.message) == (700004, "")


def test_words_of_nothing_but_what_nobody_sees_are_no_words() -> None:
    """A reason of them would be asked for, taken, and then missing in the message that tells it."""
    message = {
        "chat": CHAT,
        "from": {"id": 700004, "is_bot": False},
        "text": "/order 26000010 \u202e\u2066\u200f",
    }
    found = hear(1, {"update_id": 1, "message": message})
    assert found is not None
    assert found.text == "/order 26000010"
