"""A picture from words, at whatever service an organization has: one call of the shape most of them answer.

POST {endpoint}/images/generations with model, prompt, n and size; the answer carries the picture or its address. What
comes back is a stranger's file: it is opened where uploads are opened, and nowhere else.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field

from avatar_scheduler.domain.errors import Invalid, OutcomeUnknown, Refused
from avatar_scheduler.outbound import Outbound, Reply

SECONDS = 180.0
MOST_BYTES = 40 << 20
LONGEST_PROMPT = 1000
SIZE = "1024x1024"
"""The one size all services known to us draw; it is cut to the post's format."""
_SIZE = re.compile(r"[1-9][0-9]{2,3}x[1-9][0-9]{2,3}")


@dataclass(frozen=True)
class Generator:
    endpoint: str
    """Up to and including its version, such as https://pictures.example/v1."""
    model: str
    api_key: str = field(default="", repr=False)


def check(prompt: str, size: str) -> None:
    """Raises Invalid before anything is asked for, or paid."""
    if not prompt.strip() or len(prompt) > LONGEST_PROMPT:
        raise Invalid(f"Describe the picture in 1 to {LONGEST_PROMPT} letters.", code="prompt")
    if not _SIZE.fullmatch(size):
        raise Invalid(f"“{size[:20]}” is no size. Write it as {SIZE}.", code="picture_size")


def generate(outbound: Outbound, generator: Generator, prompt: str, size: str = SIZE) -> bytes:
    """One picture, asked for once: a second call would be paid a second time."""
    check(prompt, size)
    body = {"prompt": prompt.strip(), "n": 1, "size": size}
    if generator.model:
        body["model"] = generator.model
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if generator.api_key:
        headers["Authorization"] = f"Bearer {generator.api_key}"
    url = f"{generator.endpoint.rstrip('/')}/images/generations"
    reply = outbound.call(
        "POST",
        url,
        seconds=SECONDS,
        headers=headers,
        content=json.dumps(body, ensure_ascii=False).encode(),
        answer_bytes=MOST_BYTES,
    )
    if reply.status != 200:
        raise _failure(reply)
    return _picture(outbound, reply)


def _picture(outbound: Outbound, reply: Reply) -> bytes:
    """The address is a passing one and gets no key: it may lead to somebody else's store."""
    data = reply.json().get("data")
    first = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
    if isinstance(first.get("b64_json"), str):
        try:
            return base64.b64decode(first["b64_json"], validate=True)
        except (binascii.Error, ValueError):
            raise _unreadable() from None
    if not isinstance(first.get("url"), str):
        raise _unreadable()
    fetched = outbound.call("GET", first["url"], seconds=SECONDS, answer_bytes=MOST_BYTES)
    if fetched.status != 200:
        raise OutcomeUnknown(f"The picture was made, and its address answered {fetched.status}. It may have been paid.")
    return fetched.body


def _unreadable() -> OutcomeUnknown:
    return OutcomeUnknown("The picture service answered with no picture. It may have been paid; look there first.")


def _failure(reply: Reply) -> Refused | OutcomeUnknown:
    error = reply.json().get("error")
    said = error.get("message", "") if isinstance(error, dict) else error if isinstance(error, str) else ""
    words = " ".join(str(said).split())[:200]
    told = f" It said: {words}" if words else ""
    if reply.status in (401, 403):
        return Refused(f"The picture service does not accept the key. Run: avatar-scheduler picture connect.{told}",
                       code="auth")  # fmt: skip
    if reply.status == 404:
        return Refused(f"There is no picture service at this address. Run: avatar-scheduler picture connect.{told}",
                       code="not_there")  # fmt: skip
    if reply.status == 429:
        return Refused(f"The picture service wants a pause, or more money. Try again later.{told}", code="rate_limited")
    if 400 <= reply.status < 500 and reply.status != 408:
        return Refused(f"The picture service did not make this picture ({reply.status}).{told}", code="refused")
    return OutcomeUnknown(f"The picture service answered {reply.status}. It may have been paid.{told}")
