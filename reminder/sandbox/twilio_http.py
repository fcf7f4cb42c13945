"""How are Twilio's Messages spoken over HTTP?"""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from reminder.sandbox.bodies import BodyError, fields_of
from reminder.sandbox.broken import through
from reminder.sandbox.chaos import Fault, Kind
from reminder.sandbox.twilio_errors import TwilioError
from reminder.sandbox.twilio_list import page_of
from reminder.sandbox.world import World

Answer = Callable[[Request], Awaitable[Response]]


def routes(world: World) -> list[BaseRoute]:
    async def messages(request: Request) -> Response:
        form = await _form(request)
        if request.method == "POST":
            return await _met(
                world, "create", form.get("To"), lambda: JSONResponse(world.sms.create(form), 201)
            )
        newest = world.now() - world.sms.list_lag
        seen = [m for m in world.sms.messages.values() if m.created_at <= newest]
        return await _met(
            world, "list", form.get("To"), lambda: JSONResponse(page_of(seen, form, world.account_sid))
        )

    async def message(request: Request) -> Response:
        sid = request.path_params["sid"]
        form = await _form(request)
        if request.method == "POST":
            return JSONResponse(world.sms.change(sid, form))
        if request.method == "DELETE":
            world.sms.delete(sid)
            return Response(status_code=204)
        return await _met(
            world,
            "fetch",
            None,
            lambda: JSONResponse(world.sms.fetch(sid).resource(world.account_sid)),
        )

    async def account(_request: Request) -> Response:
        return JSONResponse(_account(world))

    root = "/2010-04-01/Accounts/{account}"
    return [
        Route(f"{root}/Messages.json", _guarded(world, messages), methods=["GET", "POST"]),
        Route(f"{root}/Messages/{{sid}}.json", _guarded(world, message), methods=["GET", "POST", "DELETE"]),
        Route(f"{root}.json", _guarded(world, account), methods=["GET"]),
    ]


def _guarded(world: World, answer: Answer) -> Answer:
    """Check who asks, turn refusals into Twilio's JSON, and carry the callbacks once the answer is out."""

    async def guarded(request: Request) -> Response:
        try:
            _check_caller(world, request)
            response = await answer(request)
        except TwilioError as error:
            response = _error(error)
        except BodyError as problem:
            response = _error(TwilioError(20001, str(problem)))
        response.background = BackgroundTask(world.stage.courier.kick)
        return response

    return guarded


def _check_caller(world: World, request: Request) -> None:
    """Basic auth with the account's SID and token; anything else is 20003, another account 20404."""
    scheme, _, raw = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(raw, validate=True) if scheme.lower() == "basic" else b""
    except binascii.Error:
        given = b""
    if not hmac.compare_digest(given, f"{world.account_sid}:{world.auth_token}".encode()):
        raise TwilioError(20003)
    if request.path_params["account"] != world.account_sid:
        raise TwilioError(20404, request.url.path)


async def _form(request: Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await fields_of(request)).items()}


async def _met(world: World, method: str, to: str | None, perform: Callable[[], Response]) -> Response:
    async def performed() -> Response:
        return perform()

    return await through(world.stage.chaos, "sms", method, to, perform=performed, refuse=_refused)


def _refused(fault: Fault) -> Response:
    if fault.kind is Kind.FLOOD:
        answer = _error(TwilioError(20429))
        answer.headers["Retry-After"] = str(fault.retry_after)
        return answer
    status = int(fault.status or 400)
    code = fault.code or {401: 20003, 404: 20404, 429: 20429}.get(status, 20500 if status >= 500 else 21211)
    return _error(TwilioError(code, fault.to or "", status=fault.status, words=fault.description))


def _error(error: TwilioError) -> JSONResponse:
    return JSONResponse(error.body, error.status)


def _account(world: World) -> dict[str, str]:
    return {
        "sid": world.account_sid,
        "owner_account_sid": world.account_sid,
        "friendly_name": "Sandbox",
        "status": "active",
        "type": "Full",
        "date_created": "Wed, 25 Nov 2026 00:00:00 +0000",
        "date_updated": "Wed, 25 Nov 2026 00:00:00 +0000",
        "uri": f"/2010-04-01/Accounts/{world.account_sid}.json",
    }
