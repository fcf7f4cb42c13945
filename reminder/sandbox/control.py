"""How does a driver move the phones, break things and read the ledger, over HTTP?"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from reminder.sandbox.bodies import BodyError, Upload, fields_of
from reminder.sandbox.chaos import ChaosError
from reminder.sandbox.ledger import line_of
from reminder.sandbox.stage import ControlError
from reminder.sandbox.world import World

Act = Callable[[World, dict[str, Any]], Any]


def routes(world: World) -> list[BaseRoute]:
    acts: dict[str, Act] = {
        "phones": lambda w, f: w.add_phones(f),
        "press": _press,
        "write": lambda w, f: w.write(_number(f, "user"), _text(f, "text"), chat=f.get("chat")),
        "file": _file,
        "reply": lambda w, f: w.reply(_text(f, "number"), _text(f, "body"), to=f.get("to")),
        "block": lambda w, f: w.block(
            _number(f, "user"), on=bool(f.get("on", True)), why=f.get("why", "blocked")
        ),
        "chaos": lambda w, f: w.chaos(f),
        "config": lambda w, f: w.configure(f),
        "reset": lambda w, _: w.reset(),
    }
    posts: list[BaseRoute] = [
        Route(f"/sim/{name}", _done(world, act), methods=["POST"]) for name, act in acts.items()
    ]

    async def phones(_request: Request) -> Response:
        return JSONResponse(world.phones())

    async def faults(_request: Request) -> Response:
        return JSONResponse(world.chaos_state())

    return [*posts, Route("/sim/phones", phones), Route("/sim/chaos", faults), *_reports(world)]


def _reports(world: World) -> list[BaseRoute]:
    async def ledger(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdigit():
            return JSONResponse({"error": "after must be a row number"}, 400)
        rows = world.ledger(int(after), everything="all" in request.query_params)
        return PlainTextResponse("".join(map(line_of, rows)), media_type="application/x-ndjson")

    async def idle(_request: Request) -> Response:
        await world.deliver()
        return JSONResponse(world.state())

    return [Route("/sim/ledger", ledger), Route("/sim/idle", idle)]


def _done(world: World, act: Act) -> Callable[[Request], Awaitable[Response]]:
    """Do one act and answer; what the office hears of it travels once the answer is out."""

    async def done(request: Request) -> Response:
        try:
            result = act(world, await fields_of(request))
        except (ControlError, ChaosError, BodyError) as problem:
            return JSONResponse({"error": str(problem)}, 400)
        background = BackgroundTask(world.stage.courier.kick)
        return JSONResponse({"ok": True} if result is None else result, background=background)

    return done


def _press(world: World, fields: dict[str, Any]) -> Any:
    user = _number(fields, "user")
    if "key" in fields:
        return world.press_key(user, str(fields["key"]))
    button = str(fields.get("data") or fields.get("label") or "")
    anyway = bool(fields.get("anyway"))
    return world.press(user, _number(fields, "message_id"), button, chat=fields.get("chat"), anyway=anyway)


def _file(world: World, fields: dict[str, Any]) -> Any:
    """Multipart with a part `file`, or JSON with `name` and `content` in Base64."""
    given = fields.get("file")
    if not isinstance(given, Upload):
        try:
            content = base64.b64decode(str(fields.get("content", "")), validate=True)
        except binascii.Error as problem:
            raise ControlError("content must be Base64") from problem
        mime = str(fields.get("mime") or "application/octet-stream")
        given = Upload(name=_text(fields, "name"), mime=mime, content=content)
    caption = str(fields.get("caption") or "")
    return world.send_file(
        _number(fields, "user"), given.name, given.content, mime=given.mime, caption=caption
    )


def _number(fields: dict[str, Any], name: str) -> int:
    try:
        return int(fields[name])
    except (KeyError, TypeError, ValueError):
        raise ControlError(f"{name} must be given, a whole number") from None


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(f"{name} must be given, a text")
    return value
