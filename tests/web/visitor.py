"""A browser's manners without a browser: cookies kept, the origin said, redirects left to the test."""

import asyncio
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

_ELSEWHERE = ThreadPoolExecutor(1)
PASSWORD = "onions and patience"
T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """On a thread of its own: a browser test keeps a loop running in the main one."""
    return _ELSEWHERE.submit(asyncio.run, work).result()


class Visitor:
    def __init__(self, app: FastAPI, origin: str) -> None:
        self.app = app
        self.origin = origin
        self.cookies = httpx.Cookies()
        self.csrf = ""

    def ask(self, method: str, path: str, headers: dict[str, str | None] | None = None, **more: Any) -> httpx.Response:
        """`headers` with the value None takes away what would be sent otherwise."""
        sent: dict[str, str | None] = {"accept": "text/html", **(headers or {})}
        if method not in ("GET", "HEAD") and "origin" not in sent:
            sent["origin"] = self.origin
        said = {name: value for name, value in sent.items() if value is not None}
        return run(self._ask(method, path, said, more))

    async def _ask(self, method: str, path: str, headers: dict[str, str], more: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=self.origin, cookies=self.cookies) as client:
            answer = await client.request(method, path, headers=headers, **more)
            self.cookies = client.cookies
            return answer

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        """A form as a page of ours would send it."""
        return self.ask("POST", path, data={"csrf": self.csrf, **(data or {})}, **more)

    def tell(self, path: str, body: Any, **more: Any) -> httpx.Response:
        """What our scripts send."""
        return self.ask("POST", path, headers={"accept": "application/json", "x-csrf": self.csrf}, json=body, **more)

    def enter(self, token: str) -> "Visitor":
        answer = self.ask("POST", f"/welcome/{token}", data={"password": PASSWORD})
        assert answer.status_code == 303, answer.text
        page = self.get("/posts").text
        self.csrf = re.findall(r'<meta name="csrf" content="([^"]+)">', page)[0]
        return self
