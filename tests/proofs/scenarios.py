"""The scripted scenarios: Monday from 8:05 in the prepared office, and what else happens in each."""

from datetime import timedelta

from reminder.channels.memory import fail_before, lose
from reminder.domain.messages import Declined, Refusal
from tests.office import LI
from tests.proofs.boundaries import Scenario
from tests.proofs.morning import ZHAO
from tests.proofs.outside import Outside

ANSWERED = 22
"""Minutes after which every text has arrived, also if its sender died and the provider's log was asked."""

LOOKED = 40
"""Minutes after which the provider's log of incoming texts has been asked: every quarter of an hour it is."""


def _nothing(_world: Outside) -> None:
    """Time passes up to here, and what has waited for it is done."""


def _lost_text(world: Outside) -> None:
    world.sms.script.append(lose(copies=1))


def _unsent_text(world: Outside) -> None:
    world.sms.script.append(lose())


def _lost_chat(world: Outside) -> None:
    world.chat.script.append(lose(copies=1))


def _unsent_chat(world: Outside) -> None:
    world.chat.script.append(lose())


def _busy(world: Outside) -> None:
    world.sms.script.append(fail_before(retry_after=timedelta(minutes=2)))


def _refused(world: Outside) -> None:
    world.sms.refused[LI] = Declined(reason=Refusal.BAD_ADDRESS, code="21211")


def _opted_out(world: Outside) -> None:
    world.sms.refused[LI] = Declined(reason=Refusal.OPTED_OUT, code="21610")


SCENARIOS = (
    Scenario(name="an ordinary morning"),
    Scenario(name="a resident agrees", acts=((ANSWERED, lambda w: w.text(LI, "1")),), ends=40),
    Scenario(name="a resident says stop", acts=((ANSWERED, lambda w: w.text(ZHAO, "STOP")),), ends=40),
    Scenario(
        name="a stop that no webhook brings",
        acts=((ANSWERED, lambda w: w.text(ZHAO, "STOP", lost=True)), (LOOKED, _nothing)),
        ends=60,
    ),
    Scenario(name="a text arrives, its answer does not", acts=((0, _lost_text),)),
    Scenario(name="a text does not arrive, nor an answer", acts=((0, _unsent_text),)),
    Scenario(name="a chat message arrives, its answer does not", acts=((0, _lost_chat),)),
    Scenario(name="a chat message does not arrive, nor an answer", acts=((0, _unsent_chat),)),
    Scenario(name="the provider asks for patience", acts=((0, _busy),)),
    Scenario(name="a number that is none", acts=((0, _refused),)),
    Scenario(name="the provider knows of a stop", acts=((0, _opted_out),)),
    Scenario(
        name="receipts, doubled and out of order",
        acts=(
            (ANSWERED, lambda w: w.receipts("delivered")),
            (ANSWERED + 1, lambda w: w.receipts("sent")),
            (ANSWERED + 2, lambda w: w.receipts("delivered")),
        ),
        ends=40,
    ),
    Scenario(
        name="a colleague asks for help", acts=((ANSWERED + 2, lambda w: w.say("wang", "/help")),), ends=40
    ),
    Scenario(name="a colleague taps a button", acts=((ANSWERED + 2, lambda w: w.tap("wang")),), ends=40),
    Scenario(
        name="yes and stop from two phones at once",
        acts=((ANSWERED, lambda w: (w.text(LI, "1"), w.text(ZHAO, "STOP"))[0]),),
        ends=40,
    ),
    Scenario(name="two days pass", ends=2 * 24 * 60),
)
SHORT = ("a resident agrees", "a resident says stop", "receipts, doubled and out of order")
"""Those of the ordinary tests."""
