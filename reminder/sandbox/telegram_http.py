"""How is the Bot API spoken over HTTP?"""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from reminder.sandbox.bodies import BodyError, fields_of
from reminder.sandbox.broken import through
from reminder.sandbox.chaos import Fault, Kind
from reminder.sandbox.telegram_fields import Fields
from reminder.sandbox.telegram_text import ApiError
from reminder.sandbox.world import World

_FAULT_WORDS = {
    400: "Bad Request: chat not found",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
}


def routes(world: World) -> list[BaseRoute]:
    async def call(request: Request) -> Response:
        token = request.path_params["token"]
        if token != world.bot_token:
            return _error(ApiError(401, "Unauthorized") if ":" in token else ApiError(404, "Not Found"))
        answer = await _called(world, request)
        answer.background = BackgroundTask(world.stage.courier.kick)
        return answer

    async def download(request: Request) -> Response:
        file_id = request.path_params["path"].rpartition("/")[2].partition(".")[0]
        upload = world.telegram.files.get(file_id)
        if request.path_params["token"] != world.bot_token or upload is None:
            return _error(ApiError(404, "Not Found"))
        return Response(upload.content, media_type=upload.mime)

    return [
        Route("/file/bot{token}/{path:path}", download),
        Route("/bot{token}/{method}", call, methods=["GET", "POST"]),
    ]


async def _called(world: World, request: Request) -> Response:
    name = request.path_params["method"].lower()
    method = world.telegram.methods.get(name)
    if method is None:
        return _error(ApiError(404, "Not Found"))
    try:
        fields = Fields(await fields_of(request))
    except BodyError as problem:
        return _error(ApiError(400, f"Bad Request: {problem}"))
    return await through(
        world.stage.chaos,
        "telegram",
        name,
        fields.text("chat_id"),
        perform=_performed(method, fields),
        refuse=_refused,
    )


def _performed(
    method: Callable[[Fields], Awaitable[Any]], fields: Fields
) -> Callable[[], Awaitable[Response]]:
    async def perform() -> Response:
        try:
            return JSONResponse({"ok": True, "result": await method(fields)})
        except ApiError as error:
            return _error(error)

    return perform


def _refused(fault: Fault) -> Response:
    if fault.kind is Kind.FLOOD:
        seconds = fault.retry_after
        return _error(ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds))
    status = 403 if fault.kind is Kind.BLOCKED else int(fault.status or 400)
    return _error(ApiError(status, fault.description or _FAULT_WORDS.get(status, "Internal Server Error")))


def _error(error: ApiError) -> JSONResponse:
    body: dict[str, Any] = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    return JSONResponse(body, error.code)
