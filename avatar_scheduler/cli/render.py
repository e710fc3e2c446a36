"""`render SCRIPT OUT`: a film from a script, labelled and signed like every other, without a post."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn

from avatar_scheduler.cli.common import Json, console, emit, now, settings, shown
from avatar_scheduler.cli.staging import Captions, Format, Scene, Stage, Voice, pairs, read_text, staged
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.scripts import source
from avatar_scheduler.scripts.render import render as render_script
from avatar_scheduler.services import films


def register(app: typer.Typer) -> None:
    app.command()(render)


def render(
    out: Annotated[Path, typer.Argument(help="The film to write, such as out.mp4.")],
    script: Annotated[Path, typer.Option(help="A text file, or a Jinja2 script with its variables.")],
    lang: Annotated[str, typer.Option(help="Language of the words; the script's, or English.")] = "",
    look: Annotated[str, typer.Option(help="maya, leo, noa, or the ZIP of a pack.")] = "maya",
    scene: Scene = "",
    voice: Voice = "",
    format_: Format = "",
    captions: Captions = "",
    stage: Stage = None,
    var: Annotated[list[str] | None, typer.Option("--var", help="name=value, once for each variable.")] = None,
    material: Annotated[
        list[str] | None, typer.Option("--material", help="name=FILE, for \\[show name], \\[clip name] and --stage.")
    ] = None,
    name: Annotated[str, typer.Option(help="Whose avatar the label says it is; the look's name when left out.")] = "",
    force: Annotated[bool, typer.Option(help="Write over files that are there.")] = False,
    json: Json = False,
) -> None:
    """Render a script to a file, with its captions (.vtt) and its poster (.jpg) beside it. Nothing is published."""
    if out.suffix.lower() != ".mp4":
        raise Invalid(f"{out}: a film is written as .mp4.", code="output")
    if not out.parent.is_dir():
        raise Invalid(f"There is no folder {out.parent}.", code="output")
    text = read_text(script)
    declared = source.parse(text)
    files = {key: Path(value) for key, value in pairs(material).items()}
    wanted = films.Wanted(
        text=render_script(text, pairs(var)),
        language=lang or declared.language or "en",
        look=look,
        scene=scene or "studio",
        name=name,
        title=declared.title or script.stem,
        staging=staged(stage, scene="", voice=voice, format_=format_, captions=captions, materials={}),
        materials=files,
    )
    columns = (TextColumn("{task.description:<10}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, console=console, disable=json or not console.is_terminal) as bar:
        task = bar.add_task("Starting", total=100)
        made = films.make(
            settings(), wanted, out, now(), lambda done, step: bar.update(task, completed=done, description=step),
            force=force,
        )  # fmt: skip
    if json:
        emit(asdict(made))
        return
    seconds = made.duration_ms / 1000
    console.print(f"{shown(str(made.video))}  {seconds:.1f} s, captions and poster beside it", soft_wrap=True)
    for mark, summary in made.marks.items():
        console.print(f"  {mark:<14}{shown(summary)}", soft_wrap=True)
