"""The floor of rules that came with the program, and an operator's stricter packs on top."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from avatar_scheduler.domain.consent import PERFORMERS
from avatar_scheduler.domain.disclosure import Place
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.rulebook import RuleBook
from avatar_scheduler.domain.version import canonical, sha256
from avatar_scheduler.rules.packs import PlaceRow, RuleRow, SurfaceRow, read_row, read_rows, read_toml, refused

LAWS = Path(__file__).with_name("jurisdictions.toml")
SURFACES = Path(__file__).with_name("surfaces.toml")
LARGEST = 1_000_000
"""Bytes of one pack."""


@dataclass(frozen=True)
class Floor:
    laws: tuple[RuleRow, ...]
    surfaces: tuple[SurfaceRow, ...]
    places: Mapping[str, PlaceRow]


@cache
def floor() -> Floor:
    laws = read_toml(LAWS, {"rule", "places"})
    rows = read_rows(LAWS, "rule", laws["rule"], RuleRow)
    places = {code: read_row(LAWS, f"places.{code}", row, PlaceRow) for code, row in laws["places"].items()}
    surfaces = read_rows(SURFACES, "surface", read_toml(SURFACES, {"surface"})["surface"], SurfaceRow)
    return Floor(tuple(rows), tuple(surfaces), places)


def book(folder: Path | None = None) -> RuleBook:
    """The floor and, where `folder` is there, the rules of its *.toml. Raises Invalid for a pack not understood.

    A pack is a list of rules in the form of jurisdictions.toml and nothing else. A rule only ever adds demands or a
    block to those that stand, so no pack can take one away: it has no words for it.
    """
    stamps = _stamps(folder)
    return _book(folder if stamps else None, stamps)


def packs(folder: Path | None) -> list[tuple[Path, list[RuleRow]]]:
    """An operator's own rules, by file."""
    return [(path, _pack(path)) for path in _files(folder)]


def surface(platform: str, media: str) -> str:
    """Where we post that kind of media there. Raises Invalid where it is not taken, or nothing is known."""
    rows = [row for row in floor().surfaces if row.platform == platform]
    taking = [row for row in rows if media in row.media and not row.blocked]
    chosen = [row for row in taking if row.default] or taking
    if not rows:
        raise Invalid(f"Nothing is known about how “{platform}” is told of AI. Known: {', '.join(known_platforms())}.")
    if not chosen:
        takes = sorted({kind for row in rows if not row.blocked for kind in row.media})
        raise Invalid(f"{platform} takes no {media}. It takes: {', '.join(takes)}.", code="media")
    return chosen[0].surface


def known_platforms() -> list[str]:
    return sorted({row.platform for row in floor().surfaces})


def reach(places: Mapping[str, PlaceRow]) -> dict[str, frozenset[str]]:
    """Code of an audience -> every jurisdiction it may be in. The operator's packs have no say in it: a new code there
    would turn an audience nobody knows, for which all rules hold, into one with few."""
    wider = {member: code for code, row in places.items() for member in row.members}
    known = {
        code: {code, wider.get(code, code), *(row.members if (row := places.get(code)) else ())}
        for code in {*places, *wider}
    }
    known |= {other: known[code] for code, row in places.items() for other in row.also}
    return {code: frozenset(codes) for code, codes in known.items()}


@lru_cache(maxsize=16)
def _book(folder: Path | None, _stamped: tuple[tuple[str, int, int], ...]) -> RuleBook:
    base = floor()
    surfaces = [rule for row in base.surfaces for rule in row.rules()]
    theirs = packs(folder)
    rules = [*(row.rule() for row in base.laws), *surfaces]
    for path, rows in theirs:
        taken = {rule.id for rule in rules}
        if again := [row.id for row in rows if row.id in taken]:
            raise refused(path, again[0], "another rule has this id; choose one of your own")
        rules += [row.rule() for row in rows]
    if again := [name for name, count in Counter(rule.id for rule in rules).items() if count > 1]:
        raise Invalid(f"Two rules have the id {again[0]}. Rename one.", code="rule_pack")
    return RuleBook(rules, _ways(base.surfaces), PERFORMERS, reach(base.places), _version(base, theirs))


def _ways(rows: Iterable[SurfaceRow]) -> dict[Place, frozenset[str]]:
    ways: dict[Place, frozenset[str]] = {}
    opened: set[tuple[Place, str]] = set()
    for row in rows:
        here = set() if row.blocked else {(row.place, media) for media in row.media}
        if here & opened:
            raise refused(SURFACES, row.id, "two rows of this surface take the same media")
        opened |= here
        ways[row.place] = ways.get(row.place, frozenset()) | frozenset(row.media)
    return ways


def _version(base: Floor, theirs: list[tuple[Path, list[RuleRow]]]) -> str:
    rows = {
        "rules": [row.model_dump(mode="json") for row in (*base.laws, *(row for _, rows in theirs for row in rows))],
        "surfaces": [row.model_dump(mode="json") for row in base.surfaces],
        "places": {code: row.model_dump(mode="json") for code, row in base.places.items()},
    }
    return sha256(canonical(rows))[:16]


def _files(folder: Path | None) -> list[Path]:
    """Raises Invalid for a folder that is there and cannot be read: its rules would be missing."""
    if folder is None:
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".toml")
    except FileNotFoundError:
        if folder.is_symlink():
            raise Invalid(f"{folder} leads nowhere: is a disk missing? Its rules are.", code="rule_pack") from None
        return []
    except OSError as error:
        raise Invalid(f"The rule packs in {folder} cannot be read: {error}.", code="rule_pack") from None


def _stamps(folder: Path | None) -> tuple[tuple[str, int, int], ...]:
    try:
        return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in _files(folder))
    except OSError as error:
        raise Invalid(f"The rule packs in {folder} cannot be read: {error}.", code="rule_pack") from None


def _pack(path: Path) -> list[RuleRow]:
    if path.is_file() and path.stat().st_size > LARGEST:
        raise refused(path, "", f"it is larger than {LARGEST} bytes")
    return read_rows(path, "rule", read_toml(path, {"rule"}).get("rule", []), RuleRow)
