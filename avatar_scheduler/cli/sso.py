"""An organization's own sign-in (OpenID Connect)."""

from typing import Annotated

import typer

from avatar_scheduler.cli.common import console, now, operator, settings, shown
from avatar_scheduler.db.engine import write_scope
from avatar_scheduler.services import oidc


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Let people sign in through their organization.")
    group.command("add")(add)
    group.callback()(lambda: None)
    app.add_typer(group, name="sso")


def add(
    name: Annotated[str, typer.Argument(help="What the button says.")],
    issuer: Annotated[str, typer.Argument(help="Its address, exactly as it names itself.")],
    client_id: Annotated[str, typer.Argument(help="What it calls this installation.")],
    domain: Annotated[str, typer.Option(help="The domain of the e-mail addresses it speaks for.")],
    secret: Annotated[
        str,
        typer.Option(
            prompt="Client secret", hide_input=True, envvar="AVATAR_SCHEDULER_SSO_SECRET", help="Asked for if left out."
        ),
    ] = "",
) -> None:
    """Connect a provider. Newcomers of its domain join with the lowest role; members link it on their account page."""
    config, who = settings(), operator()
    with write_scope(config) as session:
        row = oidc.add(session, config, who, name, issuer, client_id, secret, domain, now())
    oidc.discover(config, row)
    console.print(f"Connected {shown(name)}. Give it this address to come back to:")
    console.print(f"{config.base_url}{oidc.BACK}", soft_wrap=True)
