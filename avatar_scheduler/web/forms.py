"""What forms may send. A field nobody listed is refused: no state, no person, no organization comes from a form."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Reason = Literal["not_my_words", "wrong_fact", "too_personal", "tone", "looks_off", "record_myself"]
Milliseconds = Annotated[int, Field(ge=0, le=24 * 3600 * 1000)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Signed(Strict):
    csrf: str = ""
    """Checked by the gate before the route runs; listed here so that it is not an unknown field."""


class SignIn(Strict):
    email: str = Field(max_length=254)
    password: str = Field(max_length=1024)
    next: str = Field(default="", max_length=512)


class NewPassword(Strict):
    password: str = Field(max_length=1024)


class Decision(Signed):
    version_hash: Sha256


class Changes(Decision):
    reasons: list[Reason] = Field(default_factory=list, max_length=6)
    text: str = Field(default="", max_length=2000)
    at_ms: Milliseconds | Literal[""] = ""
    """Empty when nothing is pinned."""


class Looked(Strict):
    pictures: list[Annotated[int, Field(ge=1, le=10)]] = Field(max_length=10)


class Seen(Strict):
    ranges: list[tuple[Milliseconds, Milliseconds]] = Field(max_length=500)


class Composed(Signed):
    """The composer. Services judge the values and say in words what is wrong; here is only how long anything may be."""

    creator: str = Field(default="", max_length=64)
    avatar: str = Field(default="", max_length=64)
    title: str = Field(default="", max_length=500)
    kind: str = Field(default="", max_length=40)
    sponsored: str = Field(default="no", max_length=10)
    form: str = Field(default="video", max_length=20)
    head: str = Field(default="", max_length=20_000)
    """The script's description of itself, shown apart from the words."""
    template: str = Field(default="", max_length=40_000)
    caption: str = Field(default="", max_length=10_000)
    language: str = Field(default="", max_length=20)
    channels: list[str] = Field(default_factory=list, max_length=20)
    at: str = Field(default="", max_length=40)
    zone: str = Field(default="", max_length=64)
    format: str = Field(default="", max_length=10)
    place: str = Field(default="", max_length=20)
    background: str = Field(default="", max_length=120)
    voice: str = Field(default="", max_length=120)
    captions: str = Field(default="", max_length=20)


class NewTime(Signed):
    at: str = Field(max_length=40)
    zone: str = Field(max_length=64)
