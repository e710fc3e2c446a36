"""`voices list|say|install` and `voices dictionary add|remove|list`: who can speak here, and how they read."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from avatar_scheduler.cli.common import Json, console, emit, now, operator, settings, shown
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.services import installation, pronunciations
from avatar_scheduler.studio import voices

Slug = Annotated[str, typer.Option("--creator", help="Short name of the creator; the first one when left out.")]
Language = Annotated[str, typer.Option("--lang", help="Such as en or fr.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Voices, and how words are read.")
    commands: dict[str, Callable[..., None]] = {"list": list_voices, "say": say, "install": install}
    for name, command in commands.items():
        group.command(name)(command)
    readings = typer.Typer(no_args_is_help=True, help="How a creator's words are read.")
    entries: dict[str, Callable[..., None]] = {"add": add, "remove": remove, "list": list_readings}
    for name, command in entries.items():
        readings.command(name)(command)
    group.add_typer(readings, name="dictionary")
    app.add_typer(group, name="voices")


def list_voices(json: Json = False) -> None:
    """List the voices, and what keeps any of them from speaking here."""
    rows = [
        {
            "id": voice.id,
            "name": voice.name,
            "languages": list(voice.languages),
            "engine": voice.engine,
            "licence": voice.licence,
            "missing": voices.missing(voice, voice.languages[0]),
        }
        for voice in voices.every()
    ]
    if json:
        emit(rows)
        return
    table = Table("id", "name", "languages", "engine", "licence", "here")
    for row in rows:
        here = shown(str(row["missing"])) or "yes"
        cells = (str(row[key]) for key in ("id", "name"))
        table.add_row(*cells, " ".join(row["languages"]), str(row["engine"]), str(row["licence"]), here)
    console.print(table)
    console.print(f"Any Piper model speaks too: --voice {voices.PIPER}/path/to/voice.onnx")


def say(
    text: Annotated[str, typer.Argument(help="What to say; cues are allowed.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="The WAV file to write.", show_default=False)],
    voice: Annotated[str, typer.Option(help="A voice's id; the language's own when left out.")] = "",
    lang: Language = "en",
    speed: Annotated[float, typer.Option(min=0.7, max=1.4, help="Times its natural pace.")] = 1.0,
) -> None:
    """Say a text into a WAV file."""
    from avatar_scheduler.studio.speech import wav
    from avatar_scheduler.studio.speech.speak import speak

    speech = speak(text, lang, voice=voice, speed=speed)
    wav.write(out, speech)
    console.print(f"{shown(str(out))}: {speech.seconds:.1f} s, {len(speech.words)} words.", soft_wrap=True)


def install() -> None:
    """Fetch what the French, Spanish, Italian, Portuguese and further English voices need (once, about 27 MB)."""
    from avatar_scheduler.studio.speech import install as placing

    found = placing.install()
    console.print(f"{len(found)} voices in {shown(str(voices.FOLDER))}: {', '.join(found)}.")
    if missing := voices.missing(voices.choose("fr"), "fr"):
        console.print(shown(missing))


def add(
    written: Annotated[str, typer.Argument(help="The word as written.", show_default=False)],
    spoken: Annotated[str, typer.Argument(help="How to read it, in the language's spelling.", show_default=False)],
    lang: Language,
    creator: Slug = "",
) -> None:
    """Say how a word is read."""
    who = operator()
    with write_scope(settings()) as session:
        owner = installation.creator_by_slug(session, who, creator)
        row = pronunciations.add(session, who, owner, lang, written, spoken, now())
        line = f"{owner.name} ({row.language}): “{row.written}” is read “{row.spoken}”."
    console.print(shown(line))


def remove(
    written: Annotated[str, typer.Argument(help="The word as written.", show_default=False)],
    lang: Language,
    creator: Slug = "",
) -> None:
    """Read a word as the voice would by itself again."""
    who = operator()
    with write_scope(settings()) as session:
        owner = installation.creator_by_slug(session, who, creator)
        pronunciations.remove(session, who, owner, lang, written, now())
    console.print(f"“{shown(written)}” is read as the voice would by itself.")


def list_readings(lang: Annotated[str, typer.Option("--lang")] = "", creator: Slug = "", json: Json = False) -> None:
    """List how a creator's words are read."""
    who = operator()
    with read_scope(settings()) as session:
        owner = installation.creator_by_slug(session, who, creator)
        rows = [
            {"language": row.language, "written": row.written, "spoken": row.spoken}
            for row in pronunciations.listing(session, who, owner, lang)
        ]
    if json:
        emit(rows)
        return
    if not rows:
        console.print('No readings yet. Add one: avatar-scheduler voices dictionary add "Œuvrard" "Euvrar" --lang fr')
        return
    table = Table("language", "written", "read")
    for row in rows:
        table.add_row(*(shown(cell) for cell in row.values()))
    console.print(table)
