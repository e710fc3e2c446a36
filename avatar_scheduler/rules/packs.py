"""Reading rule packs: which rows a file may hold, and what they mean. A pack that is not understood is refused."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from avatar_scheduler.domain.consent import PERFORMERS
from avatar_scheduler.domain.disclosure import MEDIA, ON_REQUEST, SPONSORED, Mark, Place
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.rulebook import EVERY_LANGUAGE, Demand, Rule

SAYS_WORDS = frozenset({Mark.label, Mark.sponsor_label, Mark.spoken, Mark.caption_line, Mark.sponsor_line})
ALWAYS = date.min
CODE = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"
NAME = r"^[a-z0-9_]+$"
ID = r"^[a-z0-9_]+([.-][a-z0-9_]+)*$"

AMark = Annotated[Mark, Field(strict=False)]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Names = list[Annotated[str, Field(pattern=NAME)]]


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    source: Annotated[str, Field(min_length=8)]
    checked: date


R = TypeVar("R", bound=Row)


class PlaceRow(Row):
    name: Text
    members: list[Annotated[str, Field(pattern=CODE)]] = []
    also: list[Annotated[str, Field(pattern=CODE)]] = []
    """Other codes people write for it."""


class Covering(Row):
    """What a row applies to: everything it does not narrow."""

    media: list[str] = list(MEDIA)
    performers: list[str] = sorted(PERFORMERS)
    sponsored: list[str] = list(SPONSORED)
    blocked: str = ""
    way_out: str = ""

    @model_validator(mode="after")
    def _known(self) -> Self:
        for what, values, known in (
            ("media", self.media, MEDIA), ("performers", self.performers, PERFORMERS),
            ("sponsored", self.sponsored, SPONSORED),
        ):  # fmt: skip
            if not values or not set(values) <= set(known):
                raise ValueError(f"{what}: use one or more of {', '.join(sorted(known))}")
        if bool(self.blocked.strip()) != bool(self.way_out.strip()):
            raise ValueError("blocked and way_out stand together")
        return self


class RuleRow(Covering):
    id: Annotated[str, Field(pattern=ID)]
    law: Text
    begins: date
    where: Annotated[str, Field(pattern=CODE)] | None = None
    """Left out: everywhere."""
    draft: bool = False
    platforms: Names = []
    surfaces: Names = []
    marks: list[AMark] = []
    wording: dict[AMark, dict[str, list[Text]]] = {}
    height_thousandths: Annotated[int, Field(ge=0, le=1000)] = 0
    manner: str = ""

    @model_validator(mode="after")
    def _demands(self) -> Self:
        marks = set(self.marks)
        problems = {
            "a row names marks, or says why it is blocked": bool(marks) == bool(self.blocked),
            "flags stand in surfaces.toml, with field and value": bool(marks & ON_REQUEST),
            "wording is for a mark of the row that says words": not set(self.wording) <= marks & SAYS_WORDS,
            f"wording needs “{EVERY_LANGUAGE}”": any(EVERY_LANGUAGE not in words for words in self.wording.values()),
            "height_thousandths is for a label": bool(self.height_thousandths) and Mark.label not in marks,
        }
        if found := [problem for problem, there in problems.items() if there]:
            raise ValueError("; ".join(found))
        return self

    def rule(self) -> Rule:
        return Rule(
            self.id, self.law, self.source, self.checked, self.begins,
            frozenset(self.media), frozenset(self.performers), frozenset(self.sponsored),
            self.where or "", frozenset(self.platforms), frozenset(self.surfaces),
            tuple(self._demand(mark) for mark in self.marks), self.blocked, self.way_out, self.draft,
            self.manner,
        )  # fmt: skip

    def _demand(self, mark: Mark) -> Demand:
        words = self.wording.get(mark, {EVERY_LANGUAGE: []})
        height = self.height_thousandths if mark is Mark.label else 0
        return Demand(mark, {language: tuple(said) for language, said in words.items()}, height)


class Flag(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    field: Text
    """Where it stands in the request, such as "post_info.is_aigc"."""
    value: Any
    """As TOML; what a list must contain, where the field is one."""

    def demand(self, mark: Mark) -> Demand:
        value = json.dumps(self.value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return Demand(mark, field=self.field, value=value)


class SurfaceRow(Covering):
    """One of a platform's own ways in, for some kinds of media."""

    platform: Annotated[str, Field(pattern=NAME)]
    surface: Annotated[str, Field(pattern=NAME)]
    law: Text
    begins: date = ALWAYS
    default: bool = False
    """We use it for these media, where the platform has several."""
    flags: list[Flag] = []
    paid: list[Flag] = []
    own: list[Flag] = []
    read_back: str = ""
    """How to read the flag again after publishing; empty where nobody can."""
    drops: str = ""
    """What makes the platform forget the flag."""
    forbidden: list[Text] = []
    """What may not be laid over the picture there."""

    @model_validator(mode="after")
    def _open_to_all(self) -> Self:
        if not self.blocked and (set(self.sponsored) != set(SPONSORED) or set(self.performers) != PERFORMERS):
            raise ValueError("only a blocked row names sponsored or performers: what it leaves out would have no rule")
        return self

    @property
    def place(self) -> Place:
        return Place(self.platform, self.surface)

    @property
    def id(self) -> str:
        return f"{self.platform}.{self.surface}.{'-'.join(self.media)}{'.blocked' if self.blocked else ''}"

    def rules(self) -> Iterator[Rule]:
        if self.blocked:
            yield self._rule("", tuple(self.sponsored), ())
            return
        for ending, sponsored, flags, mark in (
            ("", SPONSORED, self.flags, Mark.platform_flag),
            (".paid", ("paid",), self.paid, Mark.sponsor_flag),
            (".own", ("own",), self.own, Mark.sponsor_flag),
        ):
            if flags:
                yield self._rule(ending, sponsored, tuple(flag.demand(mark) for flag in flags))

    def _rule(self, ending: str, sponsored: tuple[str, ...], demands: tuple[Demand, ...]) -> Rule:
        return Rule(
            self.id + ending, self.law, self.source, self.checked, self.begins,
            frozenset(self.media), frozenset(self.performers), frozenset(sponsored),
            platforms=frozenset({self.platform}), surfaces=frozenset({self.surface}),
            demands=demands, blocked=self.blocked, way_out=self.way_out,
        )  # fmt: skip


def read_toml(path: Path, tables: set[str] | None) -> dict[str, Any]:
    """Raises Invalid naming the file, for one that cannot be read or has other tables than `tables` (None: any)."""
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise refused(path, "", f"it cannot be read: {error}") from None
    if tables is not None and (strange := sorted(set(found) - tables)):
        raise refused(path, strange[0], f"there is no such table here, only {', '.join(sorted(tables))}")
    return found


def read_rows(path: Path, table: str, rows: Any, kind: type[R]) -> list[R]:
    """Raises Invalid naming file, row and reason."""
    if not isinstance(rows, list):
        raise refused(path, table, f"write it as [[{table}]], once for each row")
    return [read_row(path, _named(table, number, row), row, kind) for number, row in enumerate(rows, 1)]


def read_row(path: Path, name: str, row: Any, kind: type[R]) -> R:
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise refused(path, name, f"{where}: {first['msg']}" if where else first["msg"]) from None


def refused(path: Path, row: str, reason: str) -> Invalid:
    at = f", row {row}" if row else ""
    return Invalid(f"The rule pack {path.name}{at} is refused: {reason}. Repair {path}.", code="rule_pack")


def _named(table: str, number: int, row: Any) -> str:
    given = row.get("id") or row.get("surface") if isinstance(row, Mapping) else ""
    return f"{given}" if given else f"{table} {number}"
