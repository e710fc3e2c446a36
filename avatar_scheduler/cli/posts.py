"""`post new|edit|cancel|show|list`: from a script file to a queued render, and what became of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from avatar_scheduler.cli.common import Json, console, emit, now, operator, settings, shown, when
from avatar_scheduler.cli.staging import (
    Captions,
    Format,
    Look,
    Material,
    Scene,
    Stage,
    Voice,
    pairs,
    read_text,
    staged,
)
from avatar_scheduler.cli.waiting import watch
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.scripts import source
from avatar_scheduler.scripts.render import preview as preview_script
from avatar_scheduler.scripts.starters import load as load_starter
from avatar_scheduler.scripts.starters import starters
from avatar_scheduler.services import installation, pages, posts, renders

Vars = Annotated[list[str] | None, typer.Option("--var", help="name=value, once for each variable of the script.")]
SPONSOR = "Who pays: no (nobody), own (the creator's own brand), paid (somebody else)."
UNDECIDED_KIND = "personal_story"
"""What a script without a kind is taken for: a kind that always needs a person."""


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Write posts and see what became of them.")
    commands: dict[str, Callable[..., None]] = {
        "new": new,
        "edit": edit,
        "cancel": cancel,
        "show": show,
        "list": list_posts,
        "starters": list_starters,
        "preview": preview,
    }
    for name, command in commands.items():
        group.command(name)(command)
    app.add_typer(group, name="post")


def new(
    script: Annotated[Path | None, typer.Argument(help="A text file, or a Jinja2 script with its variables.")] = None,
    starter: Annotated[
        str, typer.Option(help="Instead of a file, such as tip_of_the_day.en; see `post starters`.")
    ] = "",
    creator: Annotated[str, typer.Option(help="Short name; the first creator when left out.")] = "",
    title: str = "",
    kind: Annotated[str, typer.Option(help="tip, recap, reply, thank_you ...; core kinds need a person.")] = "",
    at: Annotated[str, typer.Option(help="2026-11-22 18:00, or +10m, or now.")] = "+2m",
    zone: Annotated[str, typer.Option(help="Time zone of --at; the creator's when left out.")] = "",
    channel: Annotated[list[str] | None, typer.Option(help="own_feed, bluesky ...; repeat for several.")] = None,
    caption: str = "",
    language: Annotated[
        str,
        typer.Option("--language", "--lang", help="Language of the post; the script's or the creator's when left out."),
    ] = "",
    var: Vars = None,
    form: Annotated[str, typer.Option(help="video, or stills: pictures to swipe through.")] = "video",
    sponsored: Annotated[str, typer.Option(help=SPONSOR)] = "no",
    look: Look = "",
    scene: Scene = "",
    voice: Voice = "",
    format_: Format = "",
    captions: Captions = "",
    stage: Stage = None,
    material: Material = None,
    wait: Annotated[bool, typer.Option(help="Show the render's progress until somebody can review it.")] = True,
    json: Json = False,
) -> None:
    """Check the script, make the post and queue its render."""
    config, who = settings(), operator()
    text = load_starter(starter).source if starter else _read(script)
    declared = source.parse(text)
    order = posts.NewPost(
        creator=creator,
        title=title or declared.title or (script.stem.replace("_", " ") if script else starter),
        kind=kind or declared.kind or UNDECIDED_KIND,
        template=text,
        variables=pairs(var),
        caption=caption,
        language=language or declared.language,
        channels=tuple(channel or ["own_feed"]),
        at=at,
        zone=zone,
        form=form,
        sponsored=sponsored,
        avatar=look,
        staging=staged(stage, scene=scene, voice=voice, format_=format_, captions=captions, materials=pairs(material)),
    )
    with write_scope(config) as session:
        row = installation.creator_by_slug(session, who, creator)
        post = posts.make(session, config, who, order, row, now())
        renders.submit(session, config, who, post, now())
    _show_made(post.id, wait, json)


def _show_made(post_id: str, wait: bool, json: bool) -> None:
    if wait and not json:
        follow(post_id)
    with read_scope(settings()) as session:
        found = pages.progress(session, operator(), post_id)
    if json:
        emit(found)
        return
    if found.state == PostState.blocked:
        raise Refused(f"Blocked: {found.reason} Then: avatar-scheduler post edit {post_id[:12]}", code="blocked")
    console.print(f"Post {post_id[:12]}: {found.state.replace('_', ' ')}. {shown(found.reason)}".strip())
    if found.state == PostState.in_review:
        console.print(f"Review it: {settings().base_url}/review/{found.version_id}", soft_wrap=True)


def follow(post_id: str) -> None:
    """A bar from 0 to 100 %. Ctrl-C only stops looking."""
    columns = (TextColumn("{task.description:<12}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("Waiting", total=100)
        for found in watch(post_id, working={PostState.rendering, PostState.checking}):
            bar.update(task, completed=found.percent, description=found.step or "Waiting")
            if not console.is_terminal:
                waits = "Done" if found.percent == 100 else "Waiting for a render worker (avatar-scheduler up)"
                console.print(f"{found.percent:>3} % {found.step or waits}")


def _read(script: Path | None) -> str:
    if script is None:
        raise Invalid("Name a script file, or choose one with --starter.", code="no_script")
    return read_text(script)


def edit(
    post_id: str,
    script: Annotated[Path | None, typer.Option(help="A new script file.")] = None,
    title: Annotated[str | None, typer.Option()] = None,
    caption: Annotated[str | None, typer.Option()] = None,
    at: Annotated[str | None, typer.Option(help="A new time.")] = None,
    zone: Annotated[str | None, typer.Option()] = None,
    var: Vars = None,
    form: Annotated[str | None, typer.Option(help="video or stills.")] = None,
    sponsored: Annotated[str | None, typer.Option(help=SPONSOR)] = None,
    look: Annotated[str | None, typer.Option("--look", "--avatar", help="Another avatar of the creator.")] = None,
    scene: Scene = "",
    voice: Voice = "",
    format_: Format = "",
    captions: Captions = "",
    stage: Stage = None,
    material: Material = None,
    wait: bool = True,
    json: Json = False,
) -> None:
    """Change a post. Any approval of the earlier version is void; it is rendered and reviewed again."""
    config, who = settings(), operator()
    setting = staged(stage, scene=scene, voice=voice, format_=format_, captions=captions, materials=pairs(material))
    change = posts.Edit(
        title=title, caption=caption, at=at, zone=zone, form=form, sponsored=sponsored, avatar=look,
        staging=setting or None,
        template=_read(script) if script else None, variables=pairs(var) if var else None,
    )  # fmt: skip
    with write_scope(config) as session:
        post = posts.edit(session, config, who, post_id, change, now())
        renders.submit(session, config, who, post, now())
    _show_made(post.id, wait, json)


def cancel(post_id: str) -> None:
    """Drop a post that has not gone out."""
    with write_scope(settings()) as session:
        post = posts.cancel(session, operator(), post_id, now())
    console.print(f"Cancelled “{shown(post.title)}”.")


def show(post_id: str, json: Json = False) -> None:
    """One post: where it is, where it goes, and everything that happened."""
    config = settings()
    with read_scope(config) as session:
        page = pages.post_page(session, config, operator(), post_id, now())
    if json:
        emit(page)
        return
    found = page.progress
    weight = "core" if page.core else "secondary"
    console.print(f"[bold]{shown(found.title)}[/bold]  {found.state.replace('_', ' ')}  {page.kind}, {weight}")
    if found.reason:
        console.print(shown(found.reason))
    for target in page.targets:
        line = f"  {target.platform}:{target.address}  {when(target.due_at, target.zone)} {target.zone}  {target.state}"
        console.print(f"{line}  {shown(target.url or target.reason)}".rstrip(), soft_wrap=True)
    for row in page.timeline:
        note = row.data.get("reason") or row.data.get("note") or row.data.get("url") or ""
        console.print(f"  {when(row.at)}  {shown(row.actor):<12} {row.action}  {shown(note)}".rstrip(), soft_wrap=True)


def list_posts(json: Json = False) -> None:
    """The newest posts."""
    with read_scope(settings()) as session:
        rows = pages.listing(session, operator(), now())
    if json:
        emit(rows)
        return
    table = Table("post", "title", "state", "%", "reason")
    for row in rows:
        table.add_row(
            row.post_id[:12], shown(row.title), row.state.replace("_", " "), str(row.percent), shown(row.reason)
        )
    console.print(table if rows else "No posts yet. Run: avatar-scheduler post new SCRIPT")


def preview(
    script: Annotated[Path | None, typer.Argument(help="A text file, or a Jinja2 script with its variables.")] = None,
    starter: str = "",
    var: Vars = None,
) -> None:
    """Print what would be spoken, with examples where a variable has no value. Makes nothing."""
    text = load_starter(starter).source if starter else _read(script)
    console.print(preview_script(text, pairs(var)), markup=False, soft_wrap=True)


def list_starters(json: Json = False) -> None:
    """The scripts to begin with, and their variables."""
    rows = [
        {
            "starter": s.id,
            "title": s.script.title,
            "kind": s.script.kind,
            "variables": [v.name for v in s.script.variables],
        }
        for s in starters()
    ]
    if json:
        emit(rows)
        return
    table = Table("starter", "title", "kind", "variables")
    for row in rows:
        table.add_row(str(row["starter"]), str(row["title"]), str(row["kind"]), ", ".join(row["variables"]))
    console.print(table)
