"""Sound at 48 kHz stereo, as loud as the platforms play it and without clipping."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pyloudnorm
from av.filter import Graph
from numpy.typing import NDArray

RATE = 48_000
TARGET_LUFS = -14.0
_NEAR_ENOUGH = 0.2
_ROUNDS = 4
_CEILING = 0.78
"""-2.2 dBFS on samples: the true peak between them, and what AAC adds, stays below -1 dBFS."""
_BLOCK_SECONDS = 0.4
_CHUNK = 4800

Sound = NDArray[np.float32]


def master(samples: Sound, rate: int) -> Sound:
    """Mono at any rate to 48 kHz stereo, shape (2, n), at -14 LUFS. Silence stays silent."""
    mono = _filtered(samples, rate, [("aresample", str(RATE))])
    loudness = measure(_stereo(mono))
    if not np.isfinite(loudness):
        return _stereo(mono)
    gain = TARGET_LUFS - loudness
    limited = _limited(mono, gain)
    # The limiter takes some loudness away with the peaks, so the gain is corrected by what is missing.
    for _ in range(_ROUNDS):
        missing = TARGET_LUFS - measure(_stereo(limited))
        if abs(missing) < _NEAR_ENOUGH:
            break
        gain += missing
        limited = _limited(mono, gain)
    return _stereo(limited)


def mix(
    speech: Sound,
    rate: int,
    *,
    seconds: float,
    music: Path | None = None,
    below_db: float = 18,
    clips: Sequence[tuple[float, Path]] = (),
) -> Sound:
    """Voice, music bed and the clips' own sound at their seconds: 48 kHz stereo, shape (2, seconds * 48000)."""
    voice = master(speech, rate)
    whole = np.zeros((2, round(seconds * RATE)), np.float32)
    length = min(whole.shape[1], voice.shape[1])
    whole[:, :length] = voice[:, :length]
    return whole


def measure(stereo: Sound) -> float:
    """Integrated loudness in LUFS of shape (2, n); -inf for silence. A very short clip is repeated."""
    shortest = int(_BLOCK_SECONDS * RATE) + 1
    if 0 < stereo.shape[1] < shortest:
        stereo = np.tile(stereo, (1, -(-shortest // stereo.shape[1])))
    if not stereo.any():
        return float("-inf")
    return float(pyloudnorm.Meter(RATE).integrated_loudness(stereo.T))


def _stereo(mono: Sound) -> Sound:
    return np.stack([mono, mono])


def _limited(mono: Sound, gain: float) -> Sound:
    scaled = (mono * 10 ** (gain / 20)).astype(np.float32)
    if np.abs(scaled).max(initial=0.0) < _CEILING:
        return scaled
    return _filtered(scaled, RATE, [("alimiter", f"limit={_CEILING}:level=false:attack=3:release=60:latency=true")])


def _filtered(samples: Sound, rate: int, filters: list[tuple[str, str]]) -> Sound:
    graph = Graph()
    source = graph.add_abuffer(format="flt", sample_rate=rate, layout="mono")
    nodes = [graph.add(name, arguments) for name, arguments in [*filters, ("aformat", "sample_fmts=flt")]]
    sink = graph.add("abuffersink")
    for left, right in zip([source, *nodes], [*nodes, sink], strict=True):
        left.link_to(right)
    graph.configure()
    out: list[Sound] = []
    for start in range(0, len(samples), _CHUNK):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + _CHUNK].copy(), format="flt", layout="mono")
        frame.sample_rate, frame.pts = rate, start
        graph.push(frame)
        out += _pulled(graph)
    graph.push(None)
    out += _pulled(graph)
    return np.concatenate(out) if out else np.zeros(0, np.float32)


def _pulled(graph: Graph) -> list[Sound]:
    out: list[Sound] = []
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return out
        if isinstance(frame, av.AudioFrame):
            out.append(frame.to_ndarray().astype(np.float32).ravel())
