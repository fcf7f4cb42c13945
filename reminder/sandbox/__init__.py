"""What does the office look like from outside? Both providers, all phones, faults on demand, on one machine.

A stranger to the rest of the program: it imports none of its code, so it cannot agree with its mistakes.
"""

from reminder.sandbox.app import app_of, sandbox
from reminder.sandbox.chaos import ChaosError
from reminder.sandbox.stage import ControlError
from reminder.sandbox.telegram_chats import Limits
from reminder.sandbox.world import World

__all__ = ["ChaosError", "ControlError", "Limits", "World", "app_of", "sandbox"]
