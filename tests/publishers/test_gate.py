"""A request leaves only after it was read, and what was read is what leaves."""

import ast
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from avatar_scheduler.domain.disclosure import Mark, RequiredMark
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.publishers.base import Cleared, Parcel, Request
from tests.test_house import SOURCE, calls, name_of, tree_of

LINE = "Made with AI."
CAPTION = f"{LINE}\n\nHello"
AI = RequiredMark(Mark.platform_flag, "p.post", "Place", "here", datetime.now(UTC).date(), field="ai", value="true")
REQUEST = Request(
    b'{"ai":true,"text":"Made with AI.\\n\\nHello"}', "application/json", "text", "1", "https://place.example/post"
)
PARCEL = Parcel(
    delivery_id="d", attempt_id="a", manifest_sha256="0" * 64, creator_name="Maya", creator_slug="maya", title="Onions",
    caption=CAPTION, disclosure_line=LINE, language="en", media=(), captions_vtt=None, poster=None,
    created_at=datetime(2026, 11, 22, tzinfo=UTC), proof_url="", required=(AI,),
)  # fmt: skip


def test_a_whole_one_is_cleared() -> None:
    assert Cleared(REQUEST, PARCEL).request is REQUEST


@pytest.mark.parametrize(
    ("request_", "parcel", "told"),
    [
        (replace(REQUEST, body=b'{"text":"Made with AI.\\n\\nHello"}'), PARCEL, "ai is not on the request"),
        (replace(REQUEST, body=b""), PARCEL, "is no JSON"),
        (replace(REQUEST, body=b'{"ai":true,"text":"Hello"}'), PARCEL, "not the approved one"),
        (replace(REQUEST, caption_at="title"), PARCEL, "not the approved one"),
        (replace(REQUEST, content_type="text/plain"), PARCEL, "nobody knows what the platform would read"),
        (replace(REQUEST, url="https://place.example/post?ai=false"), PARCEL, "ai is on the request twice"),
        (replace(REQUEST, headers={"Content-type": "text/plain"}), PARCEL, "content-type"),
        (replace(REQUEST, headers={"content-encoding": "gzip"}), PARCEL, "content-encoding"),
        (replace(REQUEST, headers={"X-HTTP-Method-Override": "DELETE"}), PARCEL, "x-http-method-override"),
        (REQUEST, replace(PARCEL, required=()), "Nobody asked the rules"),
        (REQUEST, replace(PARCEL, disclosure_line=""), "does not start"),
        (REQUEST, replace(PARCEL, disclosure_line=LINE[:-1]), "does not start"),
        (REQUEST, replace(PARCEL, caption=f"Hello\n{LINE}"), "does not start"),
    ],
)
def test_mutation_of_request_or_parcel_is_refused(request_: Request, parcel: Parcel, told: str) -> None:
    with pytest.raises(Refused, match=told) as refused:
        Cleared(request_, parcel)
    assert refused.value.code == "mark_missing"


def test_nobody_else_makes_the_irreversible_call() -> None:
    """`base.commit` clears the request first. A second caller could forget to."""
    callers = {name for name, _ in calls("publisher.commit")} | {name for name, _ in calls("Cleared")}
    assert callers == {"avatar_scheduler/publishers/base.py"}
    assert {name for name, _ in calls("base.commit")} == {"avatar_scheduler/services/publish.py"}


WRITES = {
    ("base.py", "post"),
    ("bluesky/publisher.py", "_upload"),
    ("bluesky/publisher.py", "take_down"),
    ("bluesky/xrpc.py", "_post"),  # signing in
}
"""Functions of publishers that send something other than a question. A new one has to be thought about, and named."""


def test_no_publisher_has_another_way_to_write() -> None:
    found = set()
    for path in SOURCE:
        file = name_of(path).removeprefix("avatar_scheduler/publishers/")
        if file == name_of(path):
            continue
        for function in _outermost(tree_of(path)):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "call":
                    method = node.args[0]
                    if not (isinstance(method, ast.Constant) and method.value in ("GET", "HEAD")):
                        found.add((file, function.name))
    assert found == WRITES


def _outermost(tree: ast.Module) -> list[ast.FunctionDef]:
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    return [node for body in bodies for node in body if isinstance(node, ast.FunctionDef)]
