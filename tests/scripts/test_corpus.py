import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.scripts import jail
from avatar_scheduler.scripts.jail import Limits
from avatar_scheduler.scripts.render import preview, render, validate
from tests.scripts.corpus import ESCAPE, EXHAUST, HEAD, INERT, VALUES
from tests.scripts.footprint import SLACK, resident, spent_on_children

REFUSALS = {"script_not_allowed", "script_syntax"}


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "canary"
    yield path
    assert not path.exists(), "a payload ran"


@pytest.fixture
def small_footprint() -> Iterator[None]:
    """The process that asks must not pay for what the script tries."""
    before = resident()
    yield
    assert resident() - before < SLACK


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(EXHAUST) == 23
    assert len(EXHAUST) + len(ESCAPE) >= 83


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, str]]]:
    """What a child says to each escape; one child for all, because starting one takes 0.1 s."""
    canary = tmp_path_factory.mktemp("escape") / "canary"
    program = """
import json, sys
sys.path.insert(0, sys.argv[1])
from avatar_scheduler.scripts import child
child.warm_up()
child.confine(cpu_seconds=10, memory_bytes=2**29, wall_seconds=20)
asked = json.loads(sys.stdin.buffer.read())
print(json.dumps({name: child.answer(child.Request(**r), output_bytes=64_000) for name, r in asked.items()}))
"""
    requests = {
        name: {"mode": "render", "source": HEAD + payload.replace("CANARY", str(canary)), "values": VALUES}
        for name, payload in ESCAPE.items()
    }
    yield json.loads(jail.run(json.dumps(requests).encode(), Limits(wall_seconds=20), program=program))
    assert not canary.exists(), "a payload ran"


@pytest.mark.parametrize("name", ESCAPE)
def test_an_escape_is_refused_in_one_line(name: str, answers: dict[str, dict[str, str]]) -> None:
    answer = answers[name]
    assert answer.get("code") in REFUSALS
    assert answer["error"].startswith("Line ")
    assert "\n" not in answer["error"]


@pytest.mark.parametrize("name", [name for name in ESCAPE if name.startswith("CVE")])
def test_each_published_escape_is_refused_all_the_way(name: str, canary: Path) -> None:
    with pytest.raises(Invalid) as refused:
        render(HEAD + ESCAPE[name].replace("CANARY", str(canary)), VALUES)
    assert refused.value.code in REFUSALS


@pytest.mark.parametrize("payload", EXHAUST.values(), ids=EXHAUST.keys())
@pytest.mark.usefixtures("small_footprint")
def test_an_exhausting_script_is_refused_before_it_costs_anything(payload: str) -> None:
    # So little that building one of these texts, or compiling one of these powers, would be stopped, not refused.
    limits = Limits(cpu_seconds=1, memory_bytes=128 * 2**20, wall_seconds=20)
    before = spent_on_children()
    with pytest.raises(Invalid) as refused:
        render(HEAD + payload, VALUES, limits=limits)
    assert refused.value.code in REFUSALS
    assert spent_on_children() - before < 0.6


@pytest.mark.parametrize("name", ["folded at compile", "power", "center", "set doubling"])
@pytest.mark.usefixtures("small_footprint")
def test_preview_and_validate_go_through_the_same_gate(name: str) -> None:
    limits = Limits(cpu_seconds=1, memory_bytes=128 * 2**20, wall_seconds=20)
    with pytest.raises(Invalid) as refused:
        validate(HEAD + EXHAUST[name], limits=limits)
    assert refused.value.code == "script_not_allowed"
    with pytest.raises(Invalid) as refused:
        preview(HEAD + EXHAUST[name], VALUES, limits=limits)
    assert refused.value.code == "script_not_allowed"


@pytest.mark.parametrize("payload", INERT.values(), ids=INERT.keys())
def test_the_syntax_of_others_is_plain_text(payload: str, canary: Path) -> None:
    written = payload.replace("CANARY", str(canary))
    shown = "{{ 7*7 }}" if "{{ 7*7 }}" in payload else written
    assert render(HEAD + written, VALUES) == shown


@pytest.mark.parametrize("payload", [*ESCAPE.values(), *INERT.values()][::20])
def test_a_hostile_value_comes_out_as_it_is_written(payload: str) -> None:
    value = payload.replace("\n", " ")
    assert render(HEAD + "<{{ name }}>", {**VALUES, "name": value}) == f"<{value}>"
