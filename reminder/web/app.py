"""HTTP in: the providers' webhooks, verified, stored, then answered; whether we are alive, and keep up."""

import functools

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from reminder.actions import health
from reminder.failpoints import failpoint
from reminder.logs import log
from reminder.runtime import Runtime
from reminder.store import inbox
from reminder.store.database import Tx, in_tx
from reminder.web.signature import BODY_BYTES, Forged, verify
from reminder.web.telegram import received

_EMPTY = "<?xml version='1.0' encoding='UTF-8'?><Response/>"
"""No automatic answer: ours go out as ordinary texts, so that they are recorded like all others."""


def web(rt: Runtime) -> Starlette:
    """The routes that are the same in every deployment."""

    async def status(request: Request) -> Response:
        return await _webhook(rt, request, "sms_status")

    async def inbound(request: Request) -> Response:
        return await _webhook(rt, request, "sms")

    async def alive(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_request: Request) -> Response:
        found = await health.look(rt.db, rt.clock.now(), rt.desk.instance, rt.stopped())
        return JSONResponse({"ready": found.ready, "why": found.why}, status_code=200 if found.ready else 503)

    routes = [
        Route("/twilio/status", status, methods=["POST"]),
        Route("/twilio/inbound", inbound, methods=["POST"]),
        Route("/livez", alive),
        Route("/readyz", ready),
    ]
    if rt.web is not None and rt.web.hook_path:
        for bot in rt.bots:
            hooked = functools.partial(received, rt, bot)
            routes.append(Route(rt.web.hook_of(bot), hooked, methods=["POST"]))
    return Starlette(routes=routes, exception_handlers={Exception: unavailable})


async def unavailable(_request: Request, error: Exception) -> Response:
    """Whoever posted something tries again: nothing is acknowledged that is not kept."""
    log.error("web.failed", error=type(error).__name__)
    return PlainTextResponse("try again\n", status_code=503)


async def _webhook(rt: Runtime, request: Request, source: str) -> Response:
    """403 for anything the provider did not sign; 2xx only for what is committed."""
    failpoint("webhook.before_verify")
    try:
        form = await _verified(rt, request)
    except Forged as forged:
        log.warning("webhook.refused", path=request.url.path, reason=forged.reason)
        return PlainTextResponse("forbidden\n", status_code=403)
    failpoint("webhook.after_verify")
    token = request.query_params.get("m", "")
    external_id, content = _status(form, token) if source == "sms_status" else _text(form)
    if not external_id:
        return Response(status_code=204)

    async def keep(tx: Tx) -> None:
        now = rt.clock.now()
        kept = {"source": source, "external_id": external_id, "content": content}
        await inbox.keep(tx, rt.desk.sealer, **kept, at=now)  # type: ignore[arg-type]
        failpoint("webhook.before_commit")

    await in_tx(rt.db, keep)
    failpoint("webhook.after_commit")
    rt.wake("inbox")
    if source == "sms":
        return Response(_EMPTY, media_type="text/xml")
    return Response(status_code=204)


async def _verified(rt: Runtime, request: Request) -> dict[str, str]:
    if rt.web is None or not rt.web.twilio_tokens:
        raise Forged("not_configured")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise Forged("too_long")
    return verify(
        signature=request.headers.get("X-Twilio-Signature", ""),
        path=request.scope["path"],
        query=request.scope["query_string"].decode("ascii", "replace"),
        body=body,
        public_url=rt.web.public_url,
        tokens=rt.web.twilio_tokens,
        account_sid=rt.web.twilio_account,
    )


def _status(form: dict[str, str], token: str) -> tuple[str, dict[str, str]]:
    provider_id, status = form.get("MessageSid", ""), form.get("MessageStatus", "")
    content = {
        "provider_id": provider_id,
        "status": status,
        "code": form.get("ErrorCode", ""),
        "token": token,
    }
    return (f"{provider_id}:{status}" if provider_id and status else ""), content


def _text(form: dict[str, str]) -> tuple[str, dict[str, str]]:
    content = {"from": form.get("From", ""), "to": form.get("To", ""), "body": form.get("Body", "")}
    return (form.get("MessageSid", "") if content["from"] else ""), content
