"""SoundFlow: an always-on streaming audio interaction model.

Axis letters used in every docstring of the project:

    B  batch rows (streams)          N  samples
    F  speech frames of a chunk      S  sound windows of a chunk
    P  LM positions of a chunk       T  LM positions in all
    C  cache slots                   D  LM width (D_s speech, D_a sound encoder width)
    K  decision classes (silent, speak, act)     V  vocabulary
"""

import os

__version__ = "0.1.0"
SAMPLE_RATE_HZ = 16_000

# ONNX Runtime reports home from 1.31 on, as soon as it is imported, unless told so before. A listener must not.
for _name in ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED"):
    os.environ.setdefault(_name, "1")
