"""Wyoming, Home Assistant's voice protocol, over TCP: speech to text, sound detection, handling, text to speech."""

from serving.wyoming.bounds import Bounds
from serving.wyoming.server import WyomingServer

__all__ = ["Bounds", "WyomingServer"]
