"""A network gives back what a long input needed, and names a file that is none."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from soundflow.errors import WeightsError
from soundflow.onnx import Network

GROWN = """
import gc, sys
from pathlib import Path
import numpy as np
from soundflow.perceive.moonshine import Moonshine

def rss_mb():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

noise = (0.05 * np.random.default_rng(0).standard_normal(29 * 16_000)).astype(np.float32)
model = Moonshine(Path(sys.argv[1]))
model.encode(noise[:16_000])
before = rss_mb()
model.encode(noise)
model.encode(noise[:16_000])
print(rss_mb() - before)
"""


@pytest.mark.weights
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_a_long_input_needed_is_given_back(nano_parts) -> None:
    """The arena alone would keep more than 100 MB."""
    ran = subprocess.run([sys.executable, "-c", GROWN, nano_parts / "asr"], capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 40


@pytest.mark.weights
def test_the_arena_changes_no_result(nano_parts) -> None:
    path = nano_parts / "asr" / "encoder_model.ort"
    window = np.sin(np.arange(16_000, dtype=np.float32) / 20)[None]
    feed = {"input_values": window, "attention_mask": np.ones(window.shape, np.int64)}
    kept, shrunk, none = (Network(path, arena=arena).run(None, feed)[0] for arena in ("kept", "shrunk", "none"))
    assert np.array_equal(shrunk, kept)
    assert np.array_equal(none, kept)


def test_a_file_that_is_none_is_named(tmp_path) -> None:
    with pytest.raises(WeightsError, match=r"ears.onnx: a network of ears was expected, no such file"):
        Network(tmp_path / "ears.onnx", "a network of ears")
    (tmp_path / "ears.onnx").write_bytes(b"not a model")
    with pytest.raises(WeightsError, match=r"ears.onnx: a network of ears was expected, got a file it refuses"):
        Network(tmp_path / "ears.onnx", "a network of ears")
