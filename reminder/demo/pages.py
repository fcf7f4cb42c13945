"""What the demo's own pages answer: the shared clock, and why a message was sent."""

from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reminder.actions.explain import why
from reminder.demo.stage import Stage
from reminder.domain.workdays import at, local_day


def routes(stage: Stage) -> list[Route]:
    """Mounted by the demo only: nobody else may move a clock."""

    async def clock(request: Request) -> Response:
        if request.method == "POST":
            wish = await request.json()
            if not await _moved(stage, wish if isinstance(wish, dict) else {}):
                return JSONResponse({"error": "step is next, +1h, +1d or HH:MM; speed is 0, 1 or 60"}, 400)
        return JSONResponse(await _shown(stage))

    async def reason(request: Request) -> Response:
        found = await _why(stage, request.query_params.get("id", ""), request.query_params.get("lang", ""))
        return JSONResponse(found, 200 if found else 404)

    return [Route("/demo/clock", clock, methods=["GET", "POST"]), Route("/demo/why", reason)]


async def _shown(stage: Stage) -> dict[str, Any]:
    coming = await stage.drive.next_at()
    return {
        "now": stage.clock.now().isoformat(),
        "zone": str(stage.rt.desk.office.zone),
        "speed": stage.speed,
        "next": coming.isoformat() if coming else None,
    }


async def _moved(stage: Stage, wish: dict[str, Any]) -> bool:
    if wish.get("speed") in {0, 1, 60}:
        stage.speed = wish["speed"]
        return True
    now = stage.clock.now()
    match wish.get("step"):
        case "next":
            await stage.drive.to_next_ring()
        case "+1h":
            await stage.drive.to(now + timedelta(hours=1))
        case "+1d":
            await stage.drive.to(now + timedelta(days=1))
        case str(hour) if len(hour) == 5 and hour[2] == ":" and hour.replace(":", "").isdigit():
            await stage.drive.to(_next(stage, now, hour))
        case _:
            return False
    return True


def _next(stage: Stage, now: datetime, hour: str) -> datetime:
    zone = stage.rt.desk.office.zone
    wall = datetime.strptime(hour, "%H:%M").time()  # noqa: DTZ007 - a time of day, met with a zone below
    moment = at(local_day(now, zone), wall, zone)
    return moment if moment > now else at(local_day(now, zone) + timedelta(days=1), wall, zone)


async def _why(stage: Stage, provider_id: str, lang: str) -> dict[str, Any]:
    async with stage.rt.db.read() as tx:
        found = await why(tx, stage.rt.desk, provider_id, lang or stage.lang)
    return {"title": found.title, "lines": list(found.lines)} if found is not None else {}
