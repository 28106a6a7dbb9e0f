"""BEATs, a windowed sound encoder: `Beats` holds the weights, `BeatsEncoder` runs them over streams."""

from soundflow.perceive.beats.config import BeatsConfig
from soundflow.perceive.beats.model import Beats
from soundflow.perceive.beats.stream import BeatsEncoder, BeatsWindow

__all__ = ["Beats", "BeatsConfig", "BeatsEncoder", "BeatsWindow"]
