"""The states a page can be in, as the plain data that services hand over."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from avatar_scheduler.db.tables import Signing
from avatar_scheduler.domain.disclosure import Blocked
from avatar_scheduler.services.cards import (
    Asker,
    Card,
    FeedItem,
    FeedPage,
    FeedPicture,
    Layer,
    Picture,
    PostPage,
    Progress,
    Proof,
    QueueRow,
    Target,
    TimelineRow,
)  # fmt: skip
from avatar_scheduler.services.incidents import Notice
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.recognition import Answer, Change, Recognition
from avatar_scheduler.services.uploads import Row

NOW = datetime(2026, 11, 22, 16, 3, tzinfo=UTC)
DUE = NOW + timedelta(minutes=12)
DEADLINE = NOW + timedelta(minutes=42)
HASH = "9f2c41d877b0" + "0" * 48 + "a71e"
ZONE = "Europe/Paris"
VIDEO_MS = 2000
ITEM_URL = "http://127.0.0.1:8321/f/maya/d1"

ADA = Person("m1", "o1", "Ada Lind", "owner", "en", "csrf-of-ada", "s1")
EU = Asker(
    "eu.ai-act-50-4", "AI Act, Article 50(4): deep fakes are disclosed", "Regulation (EU) 2024/1689, article 50(4)",
    date(2026, 11, 22),
)  # fmt: skip
TIKTOK = Asker(
    "tiktok.direct_video", "TikTok Content Posting API: AI-generated content is declared",
    "https://developers.tiktok.com/doc/content-posting-api-reference-direct-post", date(2026, 11, 22),
)  # fmt: skip
LABEL = Layer(
    "label", "ready", "0:00-0:24", "label 1, ffmpeg 8",
    (("text", "AI Avatar of Maya"), ("height_thousandths", "52"), ("worst_match", "987"), ("worst_patch", "3"),
     ("end_ms", "24000")),
    (EU, TIKTOK),
)  # fmt: skip
LAYERS = (
    Layer("caption_line", "ready", "first line of the caption", "caption 1", (), (EU,)),
    Layer("credentials", "ready", "signed, file matches", "c2pa 0.38.1", (("state", "Trusted"),), (EU,)),
    LABEL,
    Layer("xmp", "ready", "trainedAlgorithmicMedia", "xmp 1", (), (EU,)),
    Layer("aigc", "ready", "0badcafe", "aigc 1", (("id", "0badcafe"),), (EU,)),
    Layer("watermark", "ready", "leads to 0badcafe", "watermark 1", (("id", "0badcafe"),), (EU,)),
)
FLAG = Layer("platform_flag", "at_posting", "post_info.is_aigc = true", asked_by=(TIKTOK,))
NO_FLAG = Layer("platform_flag", "not_offered", "own_feed, bluesky")
SPONSORED = (
    *LAYERS,
    Layer("sponsor_label", "ready", "0:00-0:24", "label 1", (("text", "Paid partnership"),), (EU,)),
    Layer("sponsor_line", "ready", "second line of the caption", "caption 1", (), (EU,)),
    Layer("spoken", "ready", "0:00-0:04", "spoken 1", (("text", "This video uses an AI-generated avatar."),), (EU,)),
    FLAG,
    Layer("sponsor_flag", "at_posting", "post_info.brand_content_toggle = true", asked_by=(TIKTOK,)),
    NO_FLAG,
)
STOPPED = Blocked(
    "tiktok.inbox", "A draft in the TikTok inbox forgets that it is AI.", TIKTOK.source,
    "Publish it directly, as a video.",
)  # fmt: skip
TARGET = Target("own_feed", "maya", DUE, ZONE, "waiting", "", "")

READY = Card(
    version_id="v2id",
    version_number=2,
    version_hash=HASH,
    post_id="p1",
    title="Reply to @lina.cooks",
    kind="reply",
    core=True,
    language="en",
    creator="Maya Okafor",
    creator_slug="maya",
    script="Hey Lina! Yes, swap the palm oil for groundnut oil. Keep the heat low and give the onions ten minutes.",
    caption="Made with AI: this is Maya's avatar.\nSwap the oil, keep the onions.",
    post_state="in_review",
    layers=LAYERS,
    targets=(TARGET,),
    due_at=DUE,
    deadline=DEADLINE,
    seconds_left=42 * 60,
    zone=ZONE,
    duration_ms=VIDEO_MS,
    seen_ms=VIDEO_MS,
    seen_complete=True,
    must_see=True,
    human_ms=(),
    can_decide=True,
    decided="",
    decided_by="",
    approval_id="",
    undo_until=None,
    consent_until=datetime(2027, 3, 14, tzinfo=UTC),
    newer_version_id="",
    changes=(
        ("same", "Hey Lina! Yes, swap the palm oil for groundnut oil. "),
        ("added", "Check the label for your mum first. "),
        ("same", "Keep the heat low and give the onions "),
        ("removed", "five "),
        ("added", "ten "),
        ("same", "minutes."),
    ),
    video_url="/clip.mp4",
    poster_url="/poster.jpg",
    captions_url="/captions.vtt",
)
PICTURES = tuple(
    Picture(f"/still{number}.jpg", f"Maya in the kitchen, holding {what}.", 400, 500)
    for number, what in enumerate(("a pan", "two onions", "a bowl"), 1)
)
STILL = replace(
    READY, title="Three onions", script="# look\n---\nKeep the heat low.\n---\n# look", video_url="", poster_url="",
    captions_url="", duration_ms=0, seen_ms=0, pictures=PICTURES, looked_at=(1, 2, 3), changes=(),
)  # fmt: skip
LOCKED = replace(READY, seen_ms=500, seen_complete=False)
MISSING = (Layer("label", "missing", "gone from 0:41 to 0:48"), *LAYERS[:2])
CARDS = {
    "ready": READY,
    "locked": LOCKED,
    "still": STILL,
    "still-locked": replace(STILL, seen_complete=False, looked_at=(1,)),
    "blocked": replace(READY, layers=MISSING, post_state="blocked"),
    "stopped": replace(READY, stopped=STOPPED),
    "sponsored": replace(READY, kind="tip", sponsored="paid", layers=SPONSORED, changes=()),
    "too_late": replace(READY, seconds_left=-60, can_decide=False),
    "stale": replace(
        READY, version_number=1, newer_version_id="v2id", can_decide=False, changes=(),
        script=READY.script.replace("ten", "five"),
    ),
    "approved": replace(
        READY, decided="approved", decided_by="Ada Lind", approval_id="a1", undo_until=NOW + timedelta(seconds=9),
        can_decide=False, post_state="approved",
    ),
    "rejected": replace(READY, decided="rejected", decided_by="Ada Lind", can_decide=False, post_state="rejected"),
    "watch": replace(READY, can_decide=False),
    "under_way": replace(READY, can_decide=False, post_state="rendering"),
    "secondary": replace(
        READY, kind="b_roll", core=False, must_see=False, seen_complete=False, seen_ms=0, changes=(), deadline=None,
        seconds_left=None, targets=(), due_at=None, consent_until=None,
        layers=(*LAYERS, FLAG),
    ),
    "long_words": replace(
        READY, title="Donaudampfschifffahrtsgesellschaftskapitänsmütze " * 2, language="de",
        script="Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz " * 6, changes=(),
    ),
}  # fmt: skip
ROWS = [
    QueueRow("v2id", "Reply to @lina.cooks", "Maya Okafor", "maya", "reply", True, DUE, 42 * 60),
    QueueRow("v3id", "DM to a coaching client", "Léo Garnier", "leo", "message", True, DUE, 70 * 60),
    QueueRow("v5id", "Autumn coat", "Léo Garnier", "leo", "tip", True, DUE, 80 * 60, "paid"),
    QueueRow("v4id", "B-roll: market morning", "Noa Conti", "noa", "b_roll", False, DUE, 26 * 3600),
]


def _entry(minutes: int, actor: str, action: str, **data: str) -> TimelineRow:
    return TimelineRow(NOW - timedelta(minutes=minutes), actor, action, data, "ab12" * 16)


TIMELINE = (
    _entry(1, "publish", "delivery.published"),
    _entry(2, "publish", "delivery.accepted"),
    _entry(30, "Ada Lind", "post.approved", sha256=HASH, to="approved"),
    _entry(40, "gate", "post.in_review", version="2", sha256=HASH),
    _entry(45, "render", "render.done"),
    _entry(50, "Ada Lind", "post.changes_requested", note="tone; Say “everyone”, 100 % of the time."),
    _entry(60, "Ada Lind", "post.created", title="Reply to @lina.cooks", kind="reply"),
    _entry(61, "somebody", "something.new"),
)
PUBLISHED = PostPage(
    progress=Progress("p1", "Reply to @lina.cooks", "published", 100, "", "", "v2id"),
    kind="reply",
    core=True,
    creator="Maya Okafor",
    creator_slug="maya",
    script=READY.script,
    caption=READY.caption,
    language="en",
    targets=(replace(TARGET, state="published", url="http://127.0.0.1:8321/f/maya/d1"),),
    timeline=TIMELINE,
    video_url="/clip.mp4",
    poster_url="/poster.jpg",
    captions_url="/captions.vtt",
    layers=(*LAYERS, NO_FLAG),
)
POSTS = {
    "published": PUBLISHED,
    "sponsored": replace(PUBLISHED, sponsored="paid", layers=SPONSORED),
    "incident": PUBLISHED,
    "still": replace(PUBLISHED, video_url="", poster_url="", captions_url="", pictures=PICTURES),
    "rendering": replace(
        PUBLISHED, progress=Progress("p1", "Reply to @lina.cooks", "rendering", 43, "Drawing", "", ""), targets=(),
        video_url="", poster_url="", captions_url="", timeline=TIMELINE[-2:],
    ),
    "blocked": replace(
        PUBLISHED, progress=Progress("p1", "Reply", "blocked", 100, "", "label: gone from 0:41 to 0:48", "")
    ),
    "unconfirmed": replace(
        PUBLISHED, progress=Progress("p1", "Reply", "unconfirmed", 100, "", "", "v2id"),
        targets=(replace(TARGET, state="unconfirmed", reason="The platform did not answer within 30 s."),),
    ),
}  # fmt: skip
INCIDENTS = tuple(
    Notice(f"i{number}", post, "d1", "Reply to @lina.cooks", "Maya Okafor", "bluesky", what, ITEM_URL, NOW, state)
    for number, (post, what, state) in enumerate(
        (
            ("p1", "The AI disclosure is gone.", "open"),
            ("p1", "It is not the item that was approved.", "taking_down"),
            ("p1", "It is not the item that was approved.", "takedown_failed"),
            ("p7", "It is no longer there.", "open"),
        )
    )
)
LISTING = [
    Progress("p1", "Reply to @lina.cooks", "in_review", 100, "", "", "v2id"),
    Progress("p2", "Three myths about salt", "rendering", 43, "Drawing", "", ""),
    Progress("p3", "Market morning", "published", 100, "", "", "v9id"),
    Progress("p4", "Coat weather", "blocked", 100, "", "label: gone from 0:41 to 0:48", ""),
    Progress("p5", "Thank you, 10 k", "kept_back", 100, "", "Nobody decided in time.", "v8id"),
]
UPLOADS = [
    Row("u1", "Maya Okafor", "maya", "market-stall", "image", "image/jpeg", 2_400_000, 4096, 3072, 0, NOW),
    Row("u2", "Léo Garnier", "leo", "x" * 40, "clip", "video/mp4", 90_000_000, 1080, 1920, 61_000, NOW),
    Row("u3", "Maya Okafor", "maya", "voice-of-maya", "audio", "audio/flac", 800_000, 0, 0, 9_000, NOW),
    Row("u4", "Maya Okafor", "maya", "winter", "pack", "application/zip", 66_000, 0, 0, 0, NOW),
]
ITEM = FeedItem(
    id="d1",
    title="Salt & <pepper>",
    caption="Made with AI: this is Maya's avatar.\nTwo spices, one \x0bpan.",
    disclosure_line="Made with AI: this is Maya's avatar.",
    language="en",
    published_at=NOW,
    video_url="http://127.0.0.1:8321/clip.mp4",
    video_size=4321,
    video_sha256="cd" * 32,
    poster_url="http://127.0.0.1:8321/poster.jpg",
    captions_url="http://127.0.0.1:8321/captions.vtt",
    width=180,
    height=320,
    duration_ms=VIDEO_MS,
    url="http://127.0.0.1:8321/f/maya/d1",
    proof_url="http://127.0.0.1:8321/proof/d1",
)
STILL_ITEM = replace(
    ITEM, id="d3", title="Three onions", video_url="", captions_url="", duration_ms=0, width=400, height=500,
    poster_url="http://127.0.0.1:8321/still1.jpg",
    pictures=tuple(
        FeedPicture(f"http://127.0.0.1:8321{p.url}", p.alt, p.width, p.height, "image/jpeg", 1000 + n, f"{n}d" * 32)
        for n, p in enumerate(PICTURES, 1)
    ),
)  # fmt: skip
_FEED = "http://127.0.0.1:8321/f/maya"
FEED = FeedPage(
    "Maya Okafor", "maya", _FEED, f"{_FEED}/atom.xml", f"{_FEED}/feed.json", (ITEM, replace(ITEM, id="d2"), STILL_ITEM)
)
PROOF = Proof(
    title="Salt & <pepper>",
    creator="Maya Okafor",
    creator_slug="maya",
    approved_by="Ada Lind",
    approved_how="person",
    approved_at=NOW,
    published_at=NOW,
    version_hash=HASH,
    media_hash="cd" * 32,
    engine="Avatar Scheduler 0.1.0",
    voice="hibari-tts, af_heart",
    marks=(LABEL, LAYERS[1], Layer("xmp", "missing", "no XMP packet", "xmp 1", (), (EU,)), NO_FLAG),
    sponsored="own",
    targets=(replace(TARGET, state="published", url="http://127.0.0.1:8321/f/maya/d1"),),
    audit_hash="ef" * 32,
    item_url="http://127.0.0.1:8321/f/maya/d1",
    root_fingerprint="12" * 32,
)
STILL_PROOF = replace(PROOF, title="Three onions", voice="", pictures=tuple(f"{n}d" * 32 for n in (1, 2, 3)))
SIGNING = Signing(
    organization_id="o1", render_id="r1", kind="video", sha256="cd" * 32, mark_id="0badcafe",
    manifest_sha256="ef" * 32, certificate="01", signed_at=NOW,
)  # fmt: skip
FOUND = Recognition(
    "watermark", "d1", PROOF, SIGNING, "Lind Studio", "2026-11-22T10:00:00Z",
    (
        Change("rewritten"), Change("credentials_gone"), Change("source_type_gone"),
        Change("size", "1080×1920", "540×960"), Change("label_gone"), Change("caption_unknown"),
    ),
)  # fmt: skip
ANSWERS = {
    "asked": None,
    "ours": Answer("ab" * 32, FOUND),
    "same": Answer("ab" * 32, replace(FOUND, how="same", changes=(Change("nothing"),))),
    "alike": Answer("ab" * 32, replace(FOUND, how="looks", changes=(Change("shape", "1080×1920", "720×720"),))),
    "not": Answer("ab" * 32, None),
    "borrowed": Answer("ab" * 32, None, borrowed=True),
}
