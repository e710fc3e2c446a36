"""How loud a sound is heard (ITU-R BS.1770), and making it as loud as wanted without clipping.

Everything is decided on one value a millisecond: the weighted energy and the true peak are taken once, and what a
limiter would leave of the loudness is computed from them, so no pass over the samples is made twice. (A library that
measures needs the whole of scipy, which takes longer to load than all of this to run.)
"""

from collections.abc import Sequence
from functools import cache

import av
import numpy as np
from av.filter import Graph
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

RATE = 48_000
Sound = NDArray[np.float32]
"""Shape (channels, samples); one channel is heard from both sides."""
Curve = NDArray[np.float64]
"""One value a millisecond."""

STEP = RATE // 1000
_BLOCK, _HOP = 400, 100
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0
# The two filters of BS.1770 at 48 kHz: the head's shape, and what the ear leaves out of the bass.
_WEIGHTING = tuple(
    ("biquad", ":".join(f"{name}={value}" for name, value in zip(("b0", "b1", "b2", "a1", "a2"), values, strict=True)))
    for values in (
        (1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585),
        (1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621),
    )
)

CEILING = 0.78
"""True peaks at -2.2 dB: what AAC adds stays below -1 dB."""
_LOOK = 12
"""Milliseconds in which the limiter goes down before a peak, and comes up after it."""
_NEAR_ENOUGH, _ROUNDS = 0.02, 12
_LIKELY_MORE, _MOST_MORE = 3.0, 12.0
"""Decibels by which the limiter is driven to make up for what it takes away."""
_TAPS = 12
_AT_ONCE = 4096
_PUSHED = RATE


def measure(sound: Sound) -> float:
    """Integrated loudness in LUFS; -inf for silence. A very short clip is repeated."""
    shortest = _BLOCK * STEP
    if 0 < sound.shape[1] < shortest:
        sound = np.tile(sound, (1, -(-shortest // sound.shape[1])))
    return integrated(energies(sound))


def level(sound: Sound, target: float) -> Sound:
    """As loud as `target` and limited. Silence stays silent."""
    short = _BLOCK * STEP > sound.shape[1] > 0
    energy = energies(np.tile(sound, (1, -(-_BLOCK * STEP // sound.shape[1])))) if short else energies(sound)
    start = target - integrated(energy)
    if not np.isfinite(start):
        return sound
    peaks = _true_peaks(sound, CEILING / _factor(start + _LIKELY_MORE))
    gain = start
    for _ in range(_ROUNDS):
        nodes = _limiter(peaks * _factor(gain))
        held = ((nodes[:-1] + nodes[1:]) / 2) ** 2
        missing = target - gain - integrated(energy * np.resize(held, len(energy)))
        if abs(missing) < _NEAR_ENOUGH or gain + missing > start + _MOST_MORE:
            break
        gain += missing
    return shaped(sound, _limiter(peaks * _factor(gain)) * _factor(gain))


def energies(sound: Sound) -> Curve:
    """What the ear makes of each millisecond, both sides together."""
    weighted = _by_step(filtered(sound, RATE, [(name, f"{values}:a0=1:precision=f64") for name, values in _WEIGHTING]))
    energy: Curve = np.asarray(np.einsum("cks,cks->k", weighted, weighted), np.float64)
    return energy * (2 / len(sound))


def integrated(energy: Curve) -> float:
    """The mean of blocks of 0.4 s that are neither silent nor far quieter than the rest."""
    hops = energy[: len(energy) // _HOP * _HOP].reshape(-1, _HOP).sum(axis=1)
    if len(hops) < _BLOCK // _HOP or not hops.any():
        return -np.inf
    blocks = sliding_window_view(hops, _BLOCK // _HOP).sum(axis=1) / (_BLOCK * STEP)
    for gate in (_ABSOLUTE_GATE, None):
        least = _lufs(blocks.mean()) + _RELATIVE_GATE if gate is None else gate
        blocks = blocks[blocks > 10 ** ((least + 0.691) / 10)]
        if not len(blocks):
            return -np.inf
    return _lufs(float(blocks.mean()))


def shaped(sound: Sound, nodes: Curve) -> Sound:
    """Multiplied by a curve through the nodes, one at each beginning of a millisecond and one at the end."""
    ramp = np.arange(STEP, dtype=np.float32) / STEP
    steps = nodes[:-1, None].astype(np.float32) + np.diff(nodes).astype(np.float32)[:, None] * ramp
    return np.asarray(sound * steps.reshape(-1)[: sound.shape[1]], np.float32)


def filtered(sound: Sound, rate: int, filters: Sequence[tuple[str, str]]) -> Sound:
    """Through FFmpeg's filters, channels kept."""
    layout = "mono" if len(sound) == 1 else "stereo"
    graph = Graph()
    source = graph.add_abuffer(format="fltp", sample_rate=rate, layout=layout)
    nodes = [graph.add(name, arguments) for name, arguments in (*filters, ("aformat", "sample_fmts=fltp"))]
    sink = graph.add("abuffersink")
    for left, right in zip([source, *nodes], [*nodes, sink], strict=True):
        left.link_to(right)
    graph.configure()
    out: list[Sound] = []
    for start in range(0, sound.shape[1], _PUSHED):
        part = np.ascontiguousarray(sound[:, start : start + _PUSHED], np.float32)
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, start
        graph.push(frame)
        out += _pulled(graph)
    graph.push(None)
    out += _pulled(graph)
    return np.concatenate(out, axis=1) if out else np.zeros((len(sound), 0), np.float32)


def _pulled(graph: Graph) -> list[Sound]:
    out: list[Sound] = []
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return out
        if isinstance(frame, av.AudioFrame):
            out.append(frame.to_ndarray().astype(np.float32))


def _true_peaks(sound: Sound, hot: float) -> Curve:
    """The highest each millisecond gets, between the samples too where a sample comes near `hot`."""
    peaks: Curve = np.asarray(np.abs(_by_step(sound)).max(axis=(0, 2), initial=0.0), np.float64)
    before = _TAPS // 2 - 1
    padded = np.pad(sound, ((0, 0), (before, STEP + _TAPS)))
    windows = sliding_window_view(padded, STEP + _TAPS - 1, axis=1)[:, ::STEP]
    near = np.flatnonzero(peaks > hot / 2)
    for start in range(0, len(near), _AT_ONCE):
        some = near[start : start + _AT_ONCE]
        between = np.abs(windows[:, some] @ _between_samples()).max(axis=(0, 2))
        peaks[some] = np.maximum(peaks[some], between)
    return peaks


@cache
def _between_samples() -> Sound:
    """Three values between each sample and the next, as one matrix for a whole millisecond."""
    matrix = np.zeros((STEP + _TAPS - 1, STEP, 3), np.float32)
    at = np.arange(_TAPS) - (_TAPS // 2 - 1)
    for phase in range(3):
        distance = at - (phase + 1) / 4
        taps = np.sinc(distance) * np.cos(np.pi * distance / (_TAPS + 1)) ** 2
        for sample in range(STEP):
            matrix[sample : sample + _TAPS, sample, phase] = taps / taps.sum()
    return matrix.reshape(STEP + _TAPS - 1, -1)


def _limiter(peaks: Curve) -> Curve:
    """The gain at each millisecond's ends: never above what its peak allows, and without a sudden step."""
    allowed = np.minimum(1.0, CEILING / np.maximum(peaks, 1e-9))
    if allowed.min(initial=1.0) == 1.0:
        return np.ones(len(peaks) + 1)
    wide = np.pad(allowed, 2 * _LOOK + 1, mode="edge")
    lowest = sliding_window_view(wide, 2 * _LOOK + 2).min(axis=-1)
    smooth: Curve = np.convolve(lowest, np.full(2 * _LOOK + 1, 1 / (2 * _LOOK + 1)), "valid")
    return smooth


def _by_step(sound: Sound) -> Sound:
    missing = -sound.shape[1] % STEP
    whole = np.pad(sound, ((0, 0), (0, missing))) if missing else sound
    return whole.reshape(len(sound), -1, STEP)


def _factor(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _lufs(energy: float) -> float:
    return float(-0.691 + 10 * np.log10(energy))
