"""Has this number had these very words so often that something of ours must be going round in a circle?"""

from reminder.actions.scene import LATELY, Scene
from reminder.domain.people import Channel
from reminder.logs import log
from reminder.store import holds
from reminder.store.database import Tx

MOST = 3
"""The same words to one number within `LATELY`; the next one is stopped, whatever called for it."""


async def too_often(tx: Tx, scene: Scene, text: str) -> bool:
    """By the words and the number alone: a fault may well have given each of them a key of its own."""
    reminder = scene.reminder
    if reminder.channel != Channel.SMS or reminder.phone_id is None:
        return False
    if scene.had.lately < MOST:
        return False
    sent = await holds.texts_to(tx, reminder.phone_id, scene.now - LATELY)
    same = sum(scene.desk.text_of(row) == text for row in sent)
    if same >= MOST:
        log.error("text.repeated", reminder=reminder.id, kind=reminder.kind, times=same)
    return same >= MOST
