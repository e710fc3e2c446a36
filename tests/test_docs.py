"""Documents that can fail: what the README names exists, and what exists is named."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from avatar_scheduler.cli.main import app
from avatar_scheduler.config import Settings
from avatar_scheduler.crash import VARIABLE

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "DECISIONS.md", "deploy/README.md"]
COMMAND = r"(?:^|/bin/)avatar-scheduler ([a-z]+)(?:[ ]([a-z]+)\b)?"
SETTINGS = {f"AVATAR_SCHEDULER_{name.upper()}" for name in Settings.model_fields}


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def rows(section: str) -> list[list[str]]:
    """The cells of the table under a heading of the README."""
    found = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", read("README.md"), re.MULTILINE | re.DOTALL)
    assert found is not None, f"The README has no section {section}"
    lines = [line for line in found.group(1).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def commands() -> dict[str, set[str]]:
    """Every command, and the verbs of those that have some."""
    root = typer.main.get_command(app)
    return {name: set(getattr(command, "commands", {})) for name, command in root.commands.items()}  # type: ignore[attr-defined]


def targets() -> list[str]:
    told = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [line.split()[0] for line in told.splitlines()]


def test_the_settings_table_names_every_setting_and_no_other() -> None:
    named = {name for row in rows("Settings") for name in re.findall(r"`(AVATAR_SCHEDULER_\w+)`", row[0])}
    assert named == SETTINGS


def test_the_settings_table_tells_the_real_defaults() -> None:
    defaults = Settings.model_construct()
    told: dict[str, str] = {}
    for names, values, _ in rows("Settings"):
        told.update(zip(re.findall(r"`AVATAR_SCHEDULER_(\w+)`", names), re.findall(r"`([^`]+)`", values), strict=False))
    assert {"PORT", "LEASE_SECONDS", "RENDER_MINUTES", "BASE_URL"} <= set(told)
    for name, value in told.items():
        if name != "DATA":  # depends on the home folder
            assert value == str(getattr(defaults, name.lower())), name


def test_every_command_is_in_the_readme() -> None:
    text = read("README.md")
    assert [name for name in commands() if f"`avatar-scheduler {name}`" not in text] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_a_document_names_exists(document: str) -> None:
    known = commands()
    for name, verb in re.findall(COMMAND, code_of(read(document)), re.MULTILINE):
        assert name in known, f"{document}: avatar-scheduler {name}"
        if verb and known[name]:
            assert verb in known[name], f"{document}: avatar-scheduler {name} {verb}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_setting_a_document_names_exists(document: str) -> None:
    assert set(re.findall(r"AVATAR_SCHEDULER_[A-Z_]+", read(document))) <= SETTINGS | {VARIABLE}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_a_document_links_to_exists(document: str) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", read(document))
    assert [link for link in links if not (ROOT / document).parent.joinpath(link).exists()] == []


def code_of(text: str) -> str:
    """Only what stands as code: prose may say the name without meaning a command."""
    return "\n".join(
        [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]
    )


def test_make_help_lists_ten_targets_at_most_and_the_readme_names_each() -> None:
    listed, text = targets(), read("README.md")
    assert len(listed) <= 10
    assert [name for name in listed if not re.search(rf"\bmake {name}(?![\w-])", text)] == []


def test_every_target_a_document_names_exists() -> None:
    known = set(targets())
    for document in DOCUMENTS:
        named = set(re.findall(r"`make ([a-z-]+)`", read(document)))
        assert named <= known, document


def test_every_folder_is_in_the_readme() -> None:
    text = read("README.md")
    packages = {p.parent for p in (ROOT / "avatar_scheduler").glob("*/__init__.py")}
    assert [p.name for p in packages if f"`avatar_scheduler/{p.name}`" not in text and p.name != "i18n"] == []


def test_each_command_explains_itself() -> None:
    def walk(command: Any, name: str) -> list[str]:
        nested = getattr(command, "commands", {})
        silent = [f"{name} {verb}" for verb, part in nested.items() if not (part.help or "").strip()]
        return silent + [found for verb, part in nested.items() for found in walk(part, f"{name} {verb}")]

    assert walk(typer.main.get_command(app), "avatar-scheduler") == []


def test_make_faults_finds_its_tests() -> None:
    """A marker that is gone, or a file that moved, would make a target that tests nothing."""
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\nfaults: ")[2].split("\n")[1]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *recipe.partition("pytest ")[2].split()]
    found = subprocess.run([*command, "-n", "0"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert found.count("::") >= 30
