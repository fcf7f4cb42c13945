"""The world of a scripted scenario: providers that remember what people received, and messages to us."""

import copy
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from reminder.channels.base import Found, Inbound
from reminder.channels.memory import MemoryChat, MemorySms
from reminder.clock import ManualClock
from reminder.domain.messages import Answer, Keyboard, Outgoing, Trouble
from reminder.web.signature import sign
from tests.office import STAFF

URL = "https://office.example"
ACCOUNT, AUTH, OURS = "AC" + "0" * 31 + "7", "auth-token-for-tests", "+12025550100"
Boundary = Callable[[str], None]


def _nothing(_what: str) -> None:
    pass


@dataclass(slots=True, kw_only=True)
class Sms(MemorySms):
    """Each call has two boundaries: before it, and when its effect is there and its answer is not."""

    boundary: Boundary = _nothing

    async def send(self, message: Outgoing) -> Answer:
        self.boundary("call")
        answer = await MemorySms.send(self, message)
        self.boundary("effect")
        return answer

    async def find(self, *, to: str, since: datetime, body: str) -> list[Found] | Trouble:
        self.boundary("call")
        return await MemorySms.find(self, to=to, since=since, body=body)


@dataclass(slots=True, kw_only=True)
class Chat(MemoryChat):
    boundary: Boundary = _nothing

    async def send(self, message: Outgoing) -> Answer:
        self.boundary("call")
        answer = await MemoryChat.send(self, message)
        self.boundary("effect")
        return answer

    async def edit(self, chat: str, message_id: str, text: str, buttons: Keyboard = ()) -> Answer:
        self.boundary("call")
        answer = await MemoryChat.edit(self, chat, message_id, text, buttons)
        self.boundary("effect")
        return answer

    async def pin(self, chat: str, message_id: str) -> Answer:
        self.boundary("call")
        answer = await MemoryChat.pin(self, chat, message_id)
        self.boundary("effect")
        return answer


@dataclass(slots=True, kw_only=True)
class Outside:
    """Everything that goes on living when our process dies."""

    clock: ManualClock
    sms: Sms
    chat: Chat
    posts: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Webhooks not yet answered with 2xx, oldest first."""
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(900001))

    @classmethod
    def at(cls, moment: datetime) -> "Outside":
        clock = ManualClock(moment)
        sms, chat = Sms(now=clock.now), Chat(now=clock.now)
        sms._ids = chat._ids = itertools.count(1001)  # those before were given out on Thursday
        return cls(clock=clock, sms=sms, chat=chat)

    def twin(self) -> "Outside":
        """The same world, to live on by itself."""
        boundary = self.sms.boundary
        self.sms.boundary = self.chat.boundary = _nothing
        made = copy.deepcopy(self)
        made.sms.now = made.chat.now = made.clock.now
        self.sms.boundary = self.chat.boundary = boundary
        return made

    # --- what people do ------------------------------------------------------------------------------

    def text(self, number: str, body: str, *, lost: bool = False) -> None:
        """Somebody texts us; with `lost` the webhook never comes, and only the provider's log knows."""
        sid = f"SM{next(self.ids):032x}"
        at = self.clock.now()
        self.sms.inbox.append(Inbound(provider_id=sid, sender=number, to=OURS, body=body, received_at=at))
        if not lost:
            form = {"MessageSid": sid, "From": number, "To": OURS, "Body": body, "AccountSid": ACCOUNT}
            self.posts.append(("/twilio/inbound", form))

    def receipts(self, status: str) -> None:
        """The provider tells how far every text has come."""
        for row in self.sms.ledger:
            form = {"MessageSid": row.provider_id, "MessageStatus": status, "AccountSid": ACCOUNT}
            self.posts.append((f"/twilio/status?m={row.message.token}", form))

    def say(self, who: str, text: str) -> None:
        """Somebody of the office writes to the bot."""
        person = {"id": STAFF[who].chat, "is_bot": False, "first_name": "x"}
        number = next(self.ids)
        message = {"message_id": number, "date": 0, "chat": {"id": person["id"], "type": "private"}}
        self.chat.waiting.append({"update_id": number, "message": {**message, "from": person, "text": text}})

    def tap(self, who: str, nth: int = 0) -> None:
        """Somebody taps the n-th button of the last message with buttons that came to them, if any came."""
        chat = STAFF[who].chat
        came = [r for r in self.chat.ledger if r.message.to == str(chat) and r.buttons]
        if not came:
            return
        last = came[-1]
        button = [b for row in last.buttons for b in row][nth]
        person = {"id": chat, "is_bot": False, "first_name": "x"}
        on = {"message_id": int(last.provider_id), "date": 0, "chat": {"id": chat, "type": "private"}}
        number = next(self.ids)
        query = {"id": str(number), "from": person, "message": on, "chat_instance": "1", "data": button.data}
        self.chat.waiting.append({"update_id": number, "callback_query": query})

    # --- what the provider does ----------------------------------------------------------------------

    async def post(self, app: Any) -> int:
        """Post what waits, in order; what is not answered with 2xx is posted again."""
        done = 0
        carrier = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=carrier, base_url=URL) as client:
            while self.posts:
                path, form = self.posts[0]
                headers = {"X-Twilio-Signature": sign(URL + path, form, AUTH)}
                answer = await client.post(path, data=form, headers=headers)
                self.sms.boundary("reply")
                if not answer.is_success:
                    break
                self.posts.pop(0)
                done += 1
        return done
