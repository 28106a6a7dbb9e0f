"""AL, LAAL and StreamLAAL by hand, both clocks, and AL and LAAL against SimulEval.

SimulEval wants old pins, so it lives in an environment of its own (`make reference`), which REFERENCE_PYTHON
names.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks.words.lag import assigned, average_lagging, done_ms, heard_ms, length_adaptive, stream_laal

PYTHON = os.environ.get("REFERENCE_PYTHON", "")


def test_average_lagging_by_hand() -> None:
    # one word a second is ideal: 2000 - 0, 3000 - 1000, 4000 - 2000; the third has heard all, so it is the last
    assert average_lagging([2000, 3000, 4000, 4000], 4000, 4) == pytest.approx(2000)
    # all words before the end: 500, 1500 - 1000
    assert average_lagging([500, 1500], 4000, 4) == pytest.approx(500)
    # nothing before the end of the source: the first word's delay, whatever comes later
    assert average_lagging([5500, 6000], 4000, 4) == 5500
    # exactly at the end is not behind it
    assert average_lagging([4000, 4000], 4000, 4) == 4000


def test_too_many_words_do_not_make_it_early() -> None:
    delays = [1000, 2000, 3000, 4000, 4000, 4000]
    assert average_lagging(delays, 4000, 3) == pytest.approx((1000 + 2000 / 3 + 1000 / 3 + 0) / 4)
    # six words, so two thirds of a second each: 1000, 2000 - 667, 3000 - 1333, 4000 - 2000
    assert length_adaptive(delays, 4000, 3) == pytest.approx((1000 + 4000 / 3 + 5000 / 3 + 2000) / 4)
    assert length_adaptive([1000, 2000], 4000, 4) == average_lagging([1000, 2000], 4000, 4)


@pytest.mark.parametrize(("delays", "source", "target"), [([], 1000, 1), ([1.0], 0, 1), ([1.0], 1000, 0)])
def test_what_is_not_defined_is_an_error(delays: list[float], source: float, target: int) -> None:
    with pytest.raises(ValueError, match="lagging: expected"):
        average_lagging(delays, source, target)


def test_both_clocks_by_hand() -> None:
    heard = heard_ms(6400, 16_000, 3)
    assert heard.tolist() == [400, 800, 1000, 1000]  # the last push ends with the audio, then the close
    # 400 + 100; 800 + 700; the third waits for the second: 1500 + 50; 1550 + 10
    assert done_ms(heard, [100, 700, 50, 10]).tolist() == [500, 1500, 1550, 1560]
    assert done_ms(heard, [0, 0, 0, 0]).tolist() == heard.tolist()
    with pytest.raises(ValueError, match="expected a time for each"):
        done_ms(heard, [1, 2])


def test_words_go_to_the_utterance_that_they_align_with() -> None:
    reference = [["a", "b"], ["c", "d", "e"]]
    assert assigned(reference, ["a", "b", "c", "d", "e"]) == [0, 0, 1, 1, 1]
    assert assigned(reference, ["a", "x", "y", "c", "e"]) == [0, 0, 0, 1, 1]  # y is said too much, d is missing
    assert assigned(reference, ["c", "d", "e"]) == [1, 1, 1]
    assert assigned(reference, []) == []
    assert assigned([[], []], ["a"]) == [0]


def test_stream_laal_by_hand() -> None:
    reference = [["a", "b"], ["c", "d"]]
    places = [(0.0, 2000.0), (3000.0, 2000.0)]
    # first: 1500, 2000 - 1000; second, from 3000 on: 1000, 2000 - 1000
    assert stream_laal(reference, ["a", "b", "c", "d"], [1500, 2000, 4000, 5000], places, 7000) == pytest.approx(
        ((1500 + 1000) / 2 + (1000 + 1000) / 2) / 2
    )
    # the second has no word: its first one came at the end, 7000 - 3000
    assert stream_laal(reference, ["a", "b"], [1500, 2000], places, 7000) == pytest.approx((1250 + 4000) / 2)
    # a word that came before its utterance began cannot be told early
    assert stream_laal(reference, ["a", "b", "c", "d"], [1500, 2000, 2500, 5000], places, 7000) == pytest.approx(
        (1250 + (0 + 1000) / 2) / 2
    )


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON, reason="REFERENCE_PYTHON names no interpreter with simuleval")
def test_against_simuleval() -> None:
    rng = np.random.default_rng(5)
    cases = []
    for _ in range(500):
        source = float(rng.uniform(300, 20_000))
        delays = np.sort(rng.uniform(0, source * rng.uniform(0.3, 1.6), int(rng.integers(1, 40))))
        held = delays if rng.random() < 0.5 else np.minimum(delays, source)
        cases.append(([float(d) for d in held], source, int(rng.integers(1, 40))))
    script = Path(__file__).with_name("simuleval_reference.py")
    run = subprocess.run([PYTHON, str(script)], input=json.dumps(cases), capture_output=True, text=True, check=True)
    wanted = np.array(json.loads(run.stdout))
    ours = np.array([(average_lagging(*case), length_adaptive(*case)) for case in cases])
    assert np.abs(ours - wanted).max() < 1e-6
