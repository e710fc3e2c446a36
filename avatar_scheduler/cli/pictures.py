"""`picture connect|make`: backgrounds from words, at a service of your own."""

from typing import Annotated

import typer

from avatar_scheduler.cli.common import Json, console, emit, now, operator, settings, shown
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.renderers.pictures import SIZE
from avatar_scheduler.services import installation, pictures


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Backgrounds from words, at a picture service of your own.")
    group.command("connect")(connect)
    group.command("make")(make)
    app.add_typer(group, name="picture")


def connect(
    endpoint: Annotated[str, typer.Argument(help="Its address, such as https://pictures.example/v1.")],
    model: Annotated[str, typer.Option(help="The model to ask for, where the service has several.")] = "",
    key: Annotated[
        str, typer.Option(prompt="API key (empty for none)", prompt_required=True, hide_input=True, help="Asked for.")
    ] = "",
) -> None:
    """Connect a service that answers POST /images/generations. The key is sealed."""
    config, who = settings(), operator()
    with write_scope(config) as session:
        pictures.connect(session, config, who, endpoint, model, key, now())
    console.print("Connected. Nothing is asked, or paid, before: avatar-scheduler picture make", soft_wrap=True)


def make(
    prompt: Annotated[str, typer.Argument(help="What the picture shows.")],
    name: Annotated[str, typer.Option(help="What posts call it.")],
    creator: Annotated[str, typer.Option(help="Short name of the creator; the first one when left out.")] = "",
    size: Annotated[str, typer.Option(help="As the service knows it.")] = SIZE,
    json: Json = False,
) -> None:
    """Ask for one picture, once, and keep it as a file: `background: image NAME` in a slide shows it."""
    config, who = settings(), operator()
    with read_scope(config) as session:
        owner = installation.creator_by_slug(session, who, creator)
    row = pictures.make(config, who, owner, name, prompt, size, now())
    if json:
        emit({"upload": row.id, "name": row.name, "kind": row.kind, "mime": row.mime, "sha256": row.sha256})
    else:
        console.print(f"Made “{shown(row.name)}” for {shown(owner.name)}: {row.width}x{row.height}.")
