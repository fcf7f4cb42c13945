"""How is the sandbox run alone, on this machine only and with the real clock?"""

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from reminder.sandbox import World, app_of

_TOKEN = "110201543:sandbox-token-of-no-bot-anywhere"  # noqa: S105 - opens nothing but this sandbox
_ACCOUNT = "AC" + "0" * 31 + "1"
_AUTH = "sandbox-auth-token"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m reminder.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--zone", default="Asia/Shanghai", help="the office's time zone")
    parser.add_argument("--lang", choices=["zh", "en"], help="otherwise the browser decides")
    parser.add_argument("--inbound-url", help="where texts from phones are posted, on this machine")
    parser.add_argument("--ledger", type=Path, help="append what the phones receive to this file")
    parser.add_argument("--bot-token", default=_TOKEN)
    parser.add_argument("--account-sid", default=_ACCOUNT)
    parser.add_argument("--auth-token", default=_AUTH)
    asyncio.run(_serve(parser.parse_args()))


async def _serve(asked: argparse.Namespace) -> None:
    world = World(
        now=lambda: datetime.now(UTC),
        bot_token=asked.bot_token,
        account_sid=asked.account_sid,
        auth_token=asked.auth_token,
        zone=asked.zone,
        lang=asked.lang,
        inbound_url=asked.inbound_url,
        ledger_path=asked.ledger,
    )
    world.add_telegram(700001, "Wang Min · 王敏", label="cadre · 干部", started=True)
    world.add_sms("+12025550123", "Ms Li · 李女士", lang="zh", label="resident · 群众")
    config = uvicorn.Config(
        app_of(world), host="127.0.0.1", port=asked.port, log_level="warning", timeout_graceful_shutdown=1
    )
    print(  # noqa: T201 - a command's answer
        f"The phones:   http://127.0.0.1:{asked.port}/\n"
        f"Bot API:      http://127.0.0.1:{asked.port}/bot   token {asked.bot_token}\n"
        f"Twilio:       http://127.0.0.1:{asked.port}   account {asked.account_sid},"
        f" auth token {asked.auth_token}, number +12025550100"
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    main()
