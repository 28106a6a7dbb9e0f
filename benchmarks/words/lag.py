"""How late words come: AL, LAAL and StreamLAAL, on the clock of the audio heard and on that with compute.

Delays and lengths in ms. With no revision a word's delay is how much of the source had been heard when it came out (the
clock of the audio), or when it came out by a watch (with compute). What the two papers call source is the recording.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]


def average_lagging(delays: Sequence[float], source: float, target: int) -> float:
    """AL = 1/tau * sum over i = 1..tau of (d_i - (i - 1) * source / target), tau = first i with d_i >= source, or the
    last (Ma et al. 2019, STACL; for speech Ma, Pino and Koehn 2020, SimulMT to SimulST; edges as in SimulEval, Ma et
    al. 2020: a first word behind the source's end gives its own delay).

    Args:
        delays: of each word that came out, in order, not empty.
        source: length of the recording, above 0.
        target: words of the reference, at least 1.

    Raises:
        ValueError: a value out of these bounds.
    """
    if not len(delays) or source <= 0 or target < 1:
        raise ValueError(f"lagging: expected delays, source > 0, target >= 1, got {len(delays)}, {source}, {target}")
    if delays[0] > source:
        return float(delays[0])
    total = 0.0
    for i, delay in enumerate(delays):
        total += delay - i * source / target
        if delay >= source:
            return total / (i + 1)
    return total / len(delays)


def length_adaptive(delays: Sequence[float], source: float, target: int) -> float:
    """LAAL: as AL, with max(words that came out, `target`) in place of `target`, so that saying too much does not make
    a system look early (Papi et al. 2022, "Over-Generation Cannot Be Rewarded"; Polak et al. 2022).

    ValueError as `average_lagging`.
    """
    return average_lagging(delays, source, max(len(delays), target))


def heard_ms(chunk: int, total: int, pushes: int, rate_hz: int = 16_000) -> Times:
    """[pushes + 1] ms of audio that had been heard when each push came back; the last one is the close."""
    ends = np.minimum(np.arange(1, pushes + 2) * chunk, total)
    return np.asarray(ends * 1000.0 / rate_hz)


def done_ms(heard: Times, steps: Sequence[float]) -> Times:
    """When each push came back at a microphone: done_k = max(heard_k, done_(k-1)) + step_k, all in ms.

    A push that takes longer than a chunk makes the next ones wait (SimulEval's computation-aware clock, with queueing).
    ValueError where there are not as many steps as pushes.
    """
    if len(heard) != len(steps):
        raise ValueError(f"done_ms: expected a time for each of {len(heard)} pushes, got {len(steps)}")
    found = np.zeros(len(heard))
    before = 0.0
    for k, step in enumerate(steps):
        before = max(float(heard[k]), before) + step
        found[k] = before
    return found


def assigned(reference: Sequence[Sequence[str]], said: Sequence[str]) -> list[int]:
    """Which utterance of the reference each said word belongs to, by the alignment of least word errors.

    An inserted word belongs with the word before it (at the start, with the first utterance). This is how long streams
    are cut for scoring without looking at the system's own segments (Matusov et al. 2005).
    """
    import jiwer

    owners = [k for k, words in enumerate(reference) for _ in words]
    flat = [w or "_" for words in reference for w in words]
    if not said:
        return []
    if not flat:
        return [0] * len(said)
    (chunks,) = jiwer.process_words([" ".join(flat)], [" ".join(w or "_" for w in said)]).alignments
    found, last = [0] * len(said), owners[0]
    for part in chunks:
        for k in range(part.hyp_start_idx, part.hyp_end_idx):
            if part.type in ("equal", "substitute"):
                last = owners[part.ref_start_idx + k - part.hyp_start_idx]
            found[k] = last
        if part.type == "delete":
            continue
    return found


def stream_laal(
    reference: Sequence[Sequence[str]],
    said: Sequence[str],
    delays: Sequence[float],
    places: Sequence[tuple[float, float]],
    end: float,
) -> float:
    """StreamLAAL: the mean of LAAL over the utterances of a long stream, each with the words that are assigned to it
    and with delays from its own start (Papi et al. 2024, StreamAtt).

    Args:
        reference: words of each utterance. said: words that came out, [n], as comparable as those.
        delays: [n] ms of the stream.
        places: (start, length) of each utterance in ms.
        end: of the stream: an utterance without a word is counted as if its first one came there.
    """
    owners = assigned(reference, said)
    found = []
    for k, ((start, length), words) in enumerate(zip(places, reference, strict=True)):
        mine = [max(0.0, d - start) for d, o in zip(delays, owners, strict=True) if o == k] or [end - start]
        found.append(length_adaptive(mine, length, max(1, len(words))))
    return float(np.mean(found))
