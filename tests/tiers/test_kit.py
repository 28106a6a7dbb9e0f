"""What is said of a model folder without its weights."""

from __future__ import annotations

import subprocess
import sys

from soundflow.tiers import random

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from soundflow.tiers.kit import kit
from soundflow.types import AudioChunk
made = kit(Path(sys.argv[1]))
hearing = made.hearing()
chunk = AudioChunk(0, 0, np.full(16 * made.chunk_ms, 0.01, np.float32))
print(hearing.step(chunk, hearing.init_state()).tags.shape == (len(made.labels),))
"""


def test_a_process_that_begins_with_the_outline_of_a_model_hears_with_it_afterwards(tmp_path) -> None:
    """transformers imports torchaudio when it is first asked for a class, which the outline of the encoders does."""
    random.write("base", tmp_path / "base")
    ran = subprocess.run([sys.executable, "-c", SCRIPT, tmp_path / "base"], capture_output=True, text=True, check=False)
    assert ran.stdout == "True\n", ran.stderr
