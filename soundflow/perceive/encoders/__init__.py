"""Speech encoders of the larger tiers, each a `StreamEncoder`: windowed ones and truly streaming ones."""

from soundflow.perceive.encoders.registry import FAMILIES, load, markdown, outline, random, table

__all__ = ["FAMILIES", "load", "markdown", "outline", "random", "table"]
