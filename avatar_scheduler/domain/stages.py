"""Who must say yes, in which order. A post goes on once every stage is met, each by people who did not write it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from avatar_scheduler.domain.errors import Invalid

ANYONE, CREATOR, CLIENT = "anyone", "creator", "client"
"""Anybody whose role decides; the person depicted, or who they named; whoever pays."""
MOST = 5
"""Stages a policy may have, and people a stage may name."""
ALL_KINDS = "*"


@dataclass(frozen=True)
class Stage:
    by: tuple[str, ...]
    """`anyone`, `creator`, `client`, `role:<role>` or `member:<id>`."""
    all: bool = False
    """Every one of them; otherwise one is enough."""


@dataclass(frozen=True)
class Yes:
    stage: int
    member: str
    selector: str
    """The entry of `Stage.by` this person stands for."""


def read(text: str) -> tuple[Stage, ...]:
    """Raises Invalid for anything that is not what `plain` wrote."""
    try:
        return parse(json.loads(text))
    except (ValueError, TypeError, RecursionError):
        raise _unreadable() from None


def parse(rows: object) -> tuple[Stage, ...]:
    """Raises Invalid, also for what Python would take for a list: nothing, a yes, a number, a mapping, a text."""
    if not isinstance(rows, list):
        raise _unreadable()
    return tuple(_stage(row) for row in rows)


def _stage(row: object) -> Stage:
    by, every = (row.get("by"), row.get("all")) if isinstance(row, dict) else (None, None)
    if not isinstance(by, list) or not all(isinstance(one, str) for one in by) or not isinstance(every, bool):
        raise _unreadable()
    return Stage(tuple(by), every)


def _unreadable() -> Invalid:
    return Invalid("These stages cannot be read. Set the policy again.", code="stages")


def plain(stages: Iterable[Stage]) -> list[dict[str, object]]:
    return [{"all": stage.all, "by": list(stage.by)} for stage in stages]


def check(stages: Sequence[Stage], *, core: bool) -> None:
    """Raises Invalid below the floor of the code: what speaks for a person needs at least one."""
    if core and not stages:
        raise Invalid("This kind always needs a person: name at least one stage.", code="floor")
    if len(stages) > MOST or any(not 1 <= len(stage.by) <= MOST for stage in stages):
        raise Invalid(f"A policy has at most {MOST} stages, each with 1 to {MOST} people.", code="stages")
    for selector in (selector for stage in stages for selector in stage.by):
        known = selector in (ANYONE, CREATOR, CLIENT) or selector.startswith(("role:", "member:"))
        if not known or selector.endswith(":"):
            raise Invalid(f"“{selector}” is nobody a stage can ask.", code="stages")
    if any(len(set(stage.by)) < len(stage.by) for stage in stages):
        raise Invalid("A stage names somebody twice.", code="stages")


def met(stage: Stage, given: Sequence[Yes]) -> bool:
    """For `all`, one person cannot stand for two of its entries."""
    standing = {selector: {yes.member for yes in given if yes.selector == selector} for selector in stage.by}
    if not stage.all:
        return any(standing.values())
    return _matched(list(standing.values()), frozenset())


def _matched(options: list[set[str]], used: frozenset[str]) -> bool:
    if not options:
        return True
    return any(_matched(options[1:], used | {member}) for member in options[0] - used)


def next_open(stages: Sequence[Stage], given: Sequence[Yes]) -> int | None:
    """Number of the first stage that is not met; None once all are. A yes counts only for the stage it was given to."""
    for number, stage in enumerate(stages):
        if not met(stage, [yes for yes in given if yes.stage == number]):
            return number
    return None


def weaker(new: Sequence[Stage], old: Sequence[Stage]) -> bool:
    """Whether somebody could pass `new` who could not pass `old`. In doubt it is weaker."""
    rest = list(new)
    for stage in old:
        while rest and not _implies(rest[0], stage):
            rest.pop(0)
        if not rest:
            return True
        rest.pop(0)
    return False


def _implies(new: Stage, old: Stage) -> bool:
    if old.all:
        return (new.all or len(old.by) == 1) and set(old.by) <= set(new.by) and (new.all or new.by == old.by)
    return bool(set(new.by) & set(old.by)) if new.all else set(new.by) <= set(old.by)
