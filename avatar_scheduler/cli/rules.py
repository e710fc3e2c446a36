"""`rules show|diff|explain|check`: which marks are asked for, by whom, since when, and how they were measured."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from avatar_scheduler.cli.common import Json, console, emit, now, operator, settings, shown
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.domain.consent import PERFORMERS
from avatar_scheduler.domain.disclosure import MEDIA, SPONSORED, Evidence, Mark, RequiredMark
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.domain.rulebook import Rule
from avatar_scheduler.rules import checking, listing
from avatar_scheduler.rules.packs import Flag, SurfaceRow
from avatar_scheduler.services import disclosing, explaining

ALWAYS = date(2000, 1, 1)
"""The day the house's own rules are dated: earlier than anything it could send."""


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Which disclosure marks are asked for, by whom, and since when.")
    commands: dict[str, Callable[..., None]] = {"show": show, "diff": diff, "explain": explain, "check": check}
    for name, command in commands.items():
        group.command(name)(command)
    app.add_typer(group, name="rules")


def show(
    platform: Annotated[str, typer.Option(help="One platform, with its own ways in.")] = "",
    jurisdiction: Annotated[str, typer.Option(help="An audience: FR, EU, US-NY ...")] = "",
    at: Annotated[str, typer.Option(help="Only what holds on that day, such as 2026-12-02.")] = "",
    json: Json = False,
) -> None:
    """Every rule with its source, and every platform's own switch. Drafts are listed and ask for nothing."""
    book = disclosing.book(settings())
    day = _day(at, "--at") if at else None
    found = listing.holding(book, platform=platform, jurisdiction=jurisdiction, at=day)
    surfaces = list(listing.surfaces(platform))
    if json:
        rows = [row.model_dump(mode="json") for row in surfaces]
        emit({"version": book.version, "rules": [_plain(rule) for rule in found], "surfaces": rows})
        return
    console.print(f"Rule packs {book.version}")
    _print_laws(rule for rule in found if rule.id not in listing.switches())
    _print_switches(surfaces)


def diff(
    since: Annotated[str, typer.Option("--from", help="A day; leave both out to see what your own packs add.")] = "",
    until: Annotated[str, typer.Option("--to", help="A later day.")] = "",
    json: Json = False,
) -> None:
    """What comes into force between two days; without days, what your own packs add to the floor."""
    book = disclosing.book(settings())
    if bool(since) != bool(until):
        raise Invalid("Say both --from and --to, or neither for what your own packs add.", code="dates")
    dated = bool(since)
    found = listing.beginning(book, _day(since, "--from"), _day(until, "--to")) if dated else listing.added(book)
    if json:
        emit([_plain(rule) for rule in found])
    elif found:
        _print_laws(found)
    else:
        console.print(
            "Nothing changes." if dated else f"No packs of your own in {_folder()}: the floor holds as it is."
        )


def explain(post_id: str, json: Json = False) -> None:
    """Each mark a post must carry: the law or platform rule, its source, and how the mark was measured."""
    config = settings()
    with read_scope(config) as session:
        found = explaining.explain(session, config, operator(), post_id, now())
    if json:
        emit(asdict(found))
        return
    version = f"version {found.version}" if found.version else "not rendered yet"
    console.print(f"[bold]{shown(found.title)}[/bold]  {version}, rule packs {found.rules}")
    for place in found.places:
        _print_place(place)


def check(
    folder: Annotated[
        Path | None, typer.Argument(help="Packs to check; those of this installation by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Lint the rule packs. Exit code 3 when a rule could never be met, or a pack cannot be read."""
    found = checking.check(folder or _folder(), now().date())
    if json:
        emit(found)
    for one in [] if json else found:
        kind = "WRONG" if one.serious else "old"
        console.print(f"{kind:<6} {shown(one.file)} {shown(one.row)}: {shown(one.problem)}", soft_wrap=True)
    if any(one.serious for one in found):
        raise Refused("The rule packs want repair.", code="rule_pack")
    if not json:
        console.print(f"{len(disclosing.book(settings()).rules)} rules, {len(found)} to read again.")


def _folder() -> Path:
    return settings().data / "rules"


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{option} {text!r} is no day. Write it as 2026-12-02.", code="dates") from None


def _print_laws(found: Iterable[Rule]) -> None:
    """Blocks, not a table: a source is as long as it is, and people search for it."""
    for rule in found:
        since = "draft" if rule.draft else "always" if rule.begins <= ALWAYS else f"{rule.begins}"
        asks = "nothing goes there" if rule.blocked else ", ".join(dict.fromkeys(d.mark for d in rule.demands))
        where = rule.where or ", ".join(sorted(rule.platforms)) or "everywhere"
        console.print(f"[bold]{rule.id}[/bold]  {since}, {where}: {asks}", soft_wrap=True)
        console.print(f"    {shown(rule.law)}. {_covers(rule)}", soft_wrap=True)
        if rule.manner:
            console.print(f"    {shown(rule.manner)}", soft_wrap=True)
        console.print(f"    {shown(rule.source)}; checked {rule.checked}", soft_wrap=True, style="dim")


def _covers(rule: Rule) -> str:
    parts = [", ".join(kind for kind in MEDIA if kind in rule.media)]
    for values, every in ((rule.sponsored, SPONSORED), (rule.performers, PERFORMERS)):
        parts += [] if values == frozenset(every) else [", ".join(sorted(values))]
    return "; ".join(parts)


def _print_switches(found: Iterable[SurfaceRow]) -> None:
    for row in found:
        switch = f"closed: {row.blocked}" if row.blocked else _fields(row.flags) or "no switch of its own"
        console.print(
            f"[bold]{row.platform} {row.surface}[/bold]  {', '.join(row.media)}: {shown(switch)}", soft_wrap=True
        )
        for words, value in (
            ("paid", _fields(row.paid)), ("own brand", _fields(row.own)), ("read back", row.read_back),
            ("forgotten by", row.drops), ("not over the picture", ", ".join(row.forbidden)),
        ):  # fmt: skip
            if value:
                console.print(f"    {words}: {shown(value)}", soft_wrap=True)
        console.print(f"    {shown(row.source)}; checked {row.checked}", soft_wrap=True, style="dim")


def _fields(flags: Iterable[Flag]) -> str:
    return ", ".join(f"{flag.field} = {flag.demand(Mark.platform_flag).value}" for flag in flags)


def _print_place(place: explaining.Where) -> None:
    audience = ", ".join(place.audience) or "unknown, so every rule holds"
    console.print(f"\n{place.platform} {place.surface}  {shown(place.address)}  audience: {audience}", soft_wrap=True)
    if place.blocked:
        said = place.blocked
        console.print(f"  KEPT BACK  {shown(said.reason)} {shown(said.way_out)}", soft_wrap=True)
        console.print(f"             {said.rule}, {shown(said.source)}", soft_wrap=True, style="dim")
    for reason in place.lacking:
        console.print(f"  KEPT BACK  {shown(reason)}", soft_wrap=True)
    for mark, same in groupby(place.marks, key=lambda one: one.required.mark):
        rows = list(same)
        console.print(f"  [bold]{mark}[/bold]  {rows[0].how}", soft_wrap=True)
        for seen in rows[0].measured:
            console.print(f"      {'ok' if seen.ok else 'MISSING'}  {shown(seen.summary)}", soft_wrap=True)
            console.print(f"          {shown(seen.tool)}  {shown(_numbers(seen))}", soft_wrap=True, style="dim")
        for one in rows:
            _print_rule(one.required)


def _print_rule(required: RequiredMark) -> None:
    asks = [f"says {' or '.join(f'“{words}”' for words in required.wording)}"] if required.wording else []
    asks += [f"{required.height_thousandths / 10:g} % high"] if required.height_thousandths else []
    asks += [f"{required.field} = {required.value}"] if required.field else []
    console.print(f"    {shown(required.law)}", soft_wrap=True)
    detail = "; ".join([*asks, required.source, f"checked {required.checked}"])
    console.print(f"        {required.rule}: {shown(detail)}", soft_wrap=True, style="dim")


def _numbers(one: Evidence) -> str:
    return "  ".join(f"{name}={value}" for name, value in one.measured.items())


def _plain(rule: Rule) -> dict[str, Any]:
    values = asdict(rule) | {
        name: sorted(getattr(rule, name)) for name in ("media", "performers", "sponsored", "platforms", "surfaces")
    }
    return values | {"checked": f"{rule.checked}", "begins": f"{rule.begins}"}
