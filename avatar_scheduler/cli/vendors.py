"""Vendors that render for money: accounts, their avatars, and what a creator may spend."""

from typing import Annotated

import typer
from rich.table import Table

from avatar_scheduler.cli.common import Json, console, emit, now, operator, settings, shown
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.domain.budget import cents_of, money
from avatar_scheduler.domain.errors import SchedulerError
from avatar_scheduler.rules.renderers import vendor
from avatar_scheduler.rules.renderers import vendors as known
from avatar_scheduler.services import budgets, installation, vendors

Slug = Annotated[str, typer.Option("--creator", help="Short name of the creator; the first one when left out.")]
Name = Annotated[str, typer.Argument(help=f"One of: {', '.join(known())}.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Vendors that render for money, or beside us.")
    group.command("add")(add)
    group.command("hook")(hook)
    group.command("list")(list_)
    group.command("check")(check)
    app.add_typer(group, name="vendor")
    budget = typer.Typer(no_args_is_help=True, help="What a creator's paid renders may cost in a month.")
    budget.command("set")(budget_set)
    budget.command("show")(budget_show)
    app.add_typer(budget, name="budget")


def add(
    name: Name,
    endpoint: Annotated[str, typer.Option(help="Base URL, when it is not the vendor's own.")] = "",
    key: Annotated[str, typer.Option(prompt="API key", hide_input=True, help="Asked for when left out.")] = "",
) -> None:
    """Connect a vendor, or give it a new key. The key is sealed: only the render worker can open it."""
    config, who = settings(), operator()
    with write_scope(config) as session:
        row = vendors.add(session, config, who, name, endpoint, key, now())
    console.print(f"Connected {vendor(name).name}.")
    try:
        console.print(f"It answers: {shown(vendors.check(config, row))}.")
    except SchedulerError as error:
        console.print(f"It was kept, but does not answer yet: {shown(error.message)}")


def hook(name: Name) -> None:
    """Let a vendor call when a film is ready. Without it the vendor is asked again and again, which works as well."""
    config, who = settings(), operator()
    with read_scope(config) as session:
        vendors.account(session, who.organization_id, name)
    token, address = vendors.hook_address(config, name)
    console.print("Give the vendor this address, shown only now:")
    console.print(address, soft_wrap=True)
    secret = typer.prompt("Then type the secret it signs with", hide_input=True)
    with write_scope(config) as session:
        vendors.listen(session, who, name, token, secret, now())
    console.print(f"{vendor(name).name} may call from now on.")


def list_(as_json: Json = False) -> None:
    """List connected vendors and what a minute costs there."""
    with read_scope(settings()) as session:
        connected = {row.renderer: row.endpoint for row in vendors.listing(session, operator())}
    rows = [
        {
            "vendor": key,
            "connected": key in connected,
            "endpoint": connected.get(key, ""),
            "a_minute": money(about.cents_per_minute),
            "checked": about.checked.isoformat(),
            "price_of": about.price_of,
        }
        for key, about in known().items()
    ]
    if as_json:
        emit(rows)
        return
    table = Table("vendor", "connected", "a minute", "what that is the price of", "checked")
    for row in rows:
        table.add_row(
            str(row["vendor"]), "yes" if row["connected"] else "no", str(row["a_minute"]), shown(str(row["price_of"])),
            str(row["checked"]),
        )  # fmt: skip
    console.print(table)


def check(name: Name) -> None:
    """Ask a vendor whether the key works and what is left."""
    config = settings()
    with read_scope(config) as session:
        row = vendors.account(session, operator().organization_id, name)
    console.print(f"{vendor(name).name}: {shown(vendors.check(config, row))}.")


def budget_set(
    monthly: Annotated[str, typer.Option(help="US dollars a calendar month, such as 50.00.")], creator: Slug = ""
) -> None:
    """Let a creator's paid renders cost this much a month. Without a budget nothing is bought."""
    cents = cents_of(monthly)
    with write_scope(settings()) as session:
        who = operator()
        row = installation.creator_by_slug(session, who, creator)
        budgets.put(session, who, row, cents, now())
    console.print(f"{shown(row.name)} may spend {money(cents)} a month.")


def budget_show(creator: Slug = "", as_json: Json = False) -> None:
    """Show what is spent and set aside this month."""
    with read_scope(settings()) as session:
        row = installation.creator_by_slug(session, operator(), creator)
        found = budgets.month(session, row.id, now())
    if as_json:
        emit({"creator": row.slug, "monthly_cents": found.limit_cents, "spent_cents": found.spent_cents})
    elif found.limit_cents is None:
        console.print(f"{shown(row.name)} has no budget: nothing is bought.")
    else:
        console.print(f"{shown(row.name)}: {money(found.spent_cents)} of {money(found.limit_cents)} this month.")
