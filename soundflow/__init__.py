"""SoundFlow: an always-on streaming audio interaction model.

Axis letters used in every docstring of the project:

    B  batch rows (streams)          N  samples
    F  speech frames of a chunk      S  sound windows of a chunk
    P  LM positions of a chunk       T  LM positions in all
    C  cache slots                   D  LM width (D_s speech, D_a sound encoder width)
    K  decision classes (silent, speak, act)     V  vocabulary
"""

__version__ = "0.1.0"
SAMPLE_RATE_HZ = 16_000
