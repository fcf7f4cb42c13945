"""What fields did a request carry, whatever its encoding?"""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request


class BodyError(ValueError):
    """A body nobody can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    name: str
    mime: str
    content: bytes = field(repr=False)


async def fields_of(request: Request) -> dict[str, Any]:
    """Query and body as one mapping; JSON, urlencoded and multipart. Raises BodyError."""
    found: dict[str, Any] = dict(request.query_params)
    body = await request.body()
    if body:
        found |= _decode(body, request.headers.get("content-type", ""))
    return found


def _decode(body: bytes, content_type: str) -> dict[str, Any]:
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/json":
            value = json.loads(body)
            if not isinstance(value, dict):
                raise BodyError("a JSON object is needed")
            return value
        if kind == "multipart/form-data":
            return multipart(body, content_type)
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except (UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise BodyError("the body cannot be read") from problem


def multipart(body: bytes, content_type: str) -> dict[str, Any]:
    boundary = re.search(r'boundary="?([^";]+)"?', content_type)
    if not boundary:
        raise BodyError("multipart without a boundary")
    found: dict[str, Any] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:-1]:
        raw_head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        head = raw_head.decode()
        name = re.search(r'\bname="([^"]*)"', head)
        if not name:
            raise BodyError("a multipart field without a name")
        file_name = re.search(r"filename\*=(?:utf-8|UTF-8)''([^;\s]+)|filename=\"([^\"]*)\"", head)
        if file_name:
            mime = re.search(r"(?im)^content-type:\s*([^\s;]+)", head)
            found[name[1]] = Upload(
                name=unquote(file_name[1] or file_name[2]),
                mime=mime[1] if mime else "application/octet-stream",
                content=content,
            )
        else:
            found[name[1]] = content.decode()
    return found
