"""Comments, and two versions side by side, as the pages get them."""

from datetime import timedelta
from typing import Any

from avatar_scheduler.services.comments import Remark, Thread
from avatar_scheduler.services.comparing import Asked, Comparison, Fact, Side, between
from avatar_scheduler.web import posts
from tests.web import cases

LONG = (
    "Could we say “groundnut oil” here? "
    + "Peanut sounds like the snack, and the label in the shop says it this way. " * 2
)
OPEN = Remark(
    "c1", "Nadia Brandt", LONG, 1_000, "Keep the heat low", True, False, cases.NOW - timedelta(hours=1), 1, "",
    False, False,
)  # fmt: skip
SHARED = Remark(
    "c2", "Ada Lind", "Fine with us. @Nadia Brandt, go on.\nhttps://example.org/" + "a" * 90, None, "words that left",
    False, True, cases.NOW, 2, "", False, True,
)  # fmt: skip
SETTLED = Remark("c3", "Ada Lind", "Louder.", None, "", True, False, cases.NOW, 0, "Nadia Brandt", False, True)
DELETED = Remark("c4", "Nadia Brandt", "", None, "", True, True, cases.NOW, 1, "", True, False)
THREAD = Thread(
    "p1", "v1", (OPEN, SHARED), (SETTLED, DELETED), True, ("internal", "client"), ("Ada Lind", "Nadia Brandt"), True
)
CLIENT = Thread("p1", "v1", (SHARED,), (), True, ("client",), ("Ada Lind",), True)
QUIET = Thread("p1", "", (), (), False, ("internal", "client"), (), False)
POSTER = ("/poster.jpg", "")


def _side(number: int) -> Side:
    return Side(number, cases.HASH, (POSTER,) * 4)


COMPARED = Comparison(
    "p1", "Reply to @lina.cooks", "en", _side(1), _side(2), (1, 2, 3),
    between("Hey Lina! Swap the palm oil for peanut oil.", "Hey Lina! Swap the palm oil for groundnut oil, and stir."),
    (("same", "Onions."),),
    (("same", "Hey Lina!"), ("removed", "Swap it for peanut oil."), ("added", "Swap it for groundnut oil.\nAnd stir.")),
    (Fact("time", "2026-11-22T17:45 Europe/Paris", "2026-11-22T18:45 Europe/Paris"), Fact("title", "Onions", "Onions")),
    (Asked("Maya Okafor", cases.NOW, ("wrong_fact", "tone"), "It is groundnut oil.", 12_000),),
)  # fmt: skip
FIRST = Comparison(
    "p1", "Onions", "fr", None, _side(1), (1,), between("", "Gardez le feu doux."), (("added", "Oignons."),), (), (), ()
)


def pages() -> dict[str, tuple[str, dict[str, Any]]]:
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for name, thread in (("comments", THREAD), ("comments-client", CLIENT), ("comments-quiet", QUIET)):
        shown = posts.view(cases.POSTS["published"], cases.ADA, waiting=3, incidents=())
        found[name] = ("post.html", {**shown, "comments": thread})
    for name, compared in (("versions", COMPARED), ("versions-first", FIRST)):
        found[name] = ("versions.html", {"found": compared, "waiting": 3, "incidents": ()})
    return found
