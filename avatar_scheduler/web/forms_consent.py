"""What the forms about consent may send."""

from typing import Annotated, Literal

from pydantic import Field

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.services.consents import Terms
from avatar_scheduler.web.forms import Signed, Strict

YesNo = Literal["", "yes", "no"]
Name = Annotated[str, Field(max_length=80)]
ALL = "all"
DAYS = {"1": 30, "3": 91, "6": 182, "12": 365}
"""Of each number of months offered."""


class Answers(Strict):
    """One answer a screen; they travel with the address until the person agrees, and are stored nowhere before."""

    step: str = Field(default="", max_length=20)
    likeness: YesNo = ""
    voice: YesNo = ""
    live: YesNo = ""
    sponsored: YesNo = ""
    platforms: list[Name] = Field(default_factory=list, max_length=30)
    brands: str = Field(default="", max_length=2000)
    languages: list[Name] = Field(default_factory=list, max_length=30)
    months: Literal["", "1", "3", "6", "12"] = ""

    def given(self) -> list[tuple[str, str]]:
        """Name and value of everything answered so far, for the next screen to carry."""
        one = [(name, str(getattr(self, name))) for name in ("likeness", "voice", "live", "sponsored", "months")]
        many = [("platforms", name) for name in self.platforms] + [("languages", name) for name in self.languages]
        return [(name, value) for name, value in (*one, *many, ("brands", self.brands)) if value]

    def unanswered(self) -> list[str]:
        asked = ("likeness", "voice", "live", "platforms", "languages", "sponsored", "months")
        return [name for name in asked if not getattr(self, name)]

    def brand_names(self) -> tuple[str, ...]:
        return tuple(line.strip() for line in self.brands.splitlines() if line.strip())

    def terms(self) -> Terms:
        """Raises Invalid while a screen was not answered: nothing is agreed to by leaving it out."""
        if self.unanswered():
            raise Invalid("Answer every screen first. Nothing is agreed to by leaving it out.", code="unanswered")
        return Terms(
            rights=tuple(name for name in ("likeness", "voice") if getattr(self, name) == "yes"),
            platforms=() if ALL in self.platforms else tuple(self.platforms),
            live=self.live == "yes",
            sponsored=self.sponsored == "yes",
            brands_excluded=self.brand_names(),
            languages=() if ALL in self.languages else tuple(self.languages),
            days=DAYS[self.months],
        )


class Agreement(Answers, Signed):
    pass


class StandingForm(Signed):
    kinds: list[Name] = Field(default_factory=list, max_length=20)
    templates: list[Name] = Field(default_factory=list, max_length=30)
    channels: list[Name] = Field(default_factory=list, max_length=30)
    per_day: int = Field(default=1, ge=1, le=100)
    days: int = Field(default=30, ge=1, le=365)
