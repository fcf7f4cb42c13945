"""How does the page with the phones reach a browser, and stay true while it is open?"""

from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from reminder.sandbox.world import World

_STATIC = Path(__file__).parent / "static"
_LANGUAGES = ("zh", "en")
_SAFE = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def routes(world: World) -> list[BaseRoute]:
    async def page(request: Request) -> Response:
        lang = language(
            request.query_params.get("lang"), world.lang, request.headers.get("accept-language", "")
        )
        html = (_STATIC / "index.html").read_text("utf-8")
        for name, value in (("lang", "zh-CN" if lang == "zh" else "en"), ("zone", world.zone)):
            html = html.replace(f"{{{{{name}}}}}", escape(value, quote=True))
        return HTMLResponse(html, headers=_SAFE)

    async def events(_request: Request) -> Response:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        stream = world.stage.feed.stream(world.snapshot)
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    async def file(request: Request) -> Response:
        upload = world.telegram.files.get(request.path_params["file_id"])
        if upload is None:
            return PlainTextResponse("no such file", 404)
        # Shown only as a picture or saved, never run as a page of this origin.
        shown = upload.mime if upload.mime in ("image/png", "image/jpeg") else "application/octet-stream"
        return Response(upload.content, media_type=shown, headers=_SAFE)

    return [
        Route("/", page),
        Route("/sim/events", events),
        Route("/sim/files/{file_id}", file),
        Mount("/sim/static", StaticFiles(directory=_STATIC)),
    ]


def language(asked: str | None, fixed: str | None, accepted: str) -> str:
    """`?lang=`, else the constructor's choice, else the browser's first known language, else English."""
    wishes = [asked or "", fixed or "", *(part.partition(";")[0].strip() for part in accepted.split(","))]
    return next((w[:2].lower() for w in wishes if w[:2].lower() in _LANGUAGES), "en")
