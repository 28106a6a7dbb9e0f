"""Which AudioSet tags a corpus' sound classes stand for. Classes with no plain tag are left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from soundflow.errors import DataError
from soundflow.perceive.labels import ALERTING

TAGS: Final[dict[str, tuple[str, ...]]] = {
    "alarm": ALERTING["alarm"],
    "siren": ALERTING["siren"],
    "glass_break": ALERTING["glass"],
    "gunshot": ALERTING["gunshot"],
    "explosion": ALERTING["explosion"],
    "scream": ALERTING["scream"],
    "crying_baby": ALERTING["cry"],
    "coughing": ALERTING["cough"],
    "doorbell": ALERTING["doorbell"],
    "phone_ring": ALERTING["phone"],
    "dog": ("Dog", "Bark", "Yip", "Howl", "Bow-wow", "Growling"),
    "rooster": ("Chicken, rooster", "Crowing, cock-a-doodle-doo"),
    "rain": ("Rain", "Raindrop", "Rain on surface"),
    "sea_waves": ("Waves, surf", "Ocean"),
    "crackling_fire": ("Fire", "Crackle"),
    "sneezing": ("Sneeze",),
    "clock_tick": ("Tick-tock", "Tick", "Clock"),
    "helicopter": ("Helicopter",),
    "chainsaw": ("Chainsaw", "Power tool"),
    "bird": ("Bird", "Bird vocalization, bird call, bird song", "Chirp, tweet"),
    "cow": ("Cattle, bovinae", "Moo"),
    "pig": ("Pig", "Oink"),
    "horse": ("Horse", "Neigh, whinny", "Clip-clop"),
    "sheep_goat": ("Sheep", "Goat", "Bleat"),
    "car_engine": ("Car", "Engine", "Vehicle", "Idling", "Accelerating, revving, vroom"),
    "footsteps": ("Walk, footsteps", "Run"),
    "water": ("Water", "Splash, splatter", "Stream", "Pour", "Liquid", "Drip"),
    "thunder": ("Thunder", "Thunderstorm"),
    "door": ("Door", "Slam", "Squeak", "Cupboard open or close"),
    "applause_clap": ("Applause", "Clapping"),
    "laugh": ("Laughter", "Giggle", "Belly laugh", "Chuckle, chortle"),
}


def columns(labels: Sequence[str]) -> dict[str, list[int]]:
    """Class -> where its tags stand among `labels`, of the classes of which a model knows one. DataError where it knows
    none."""
    index = {label: i for i, label in enumerate(labels)}
    found = {name: [index[tag] for tag in tags if tag in index] for name, tags in TAGS.items()}
    if not (known := {name: places for name, places in found.items() if places}):
        raise DataError(f"labels of AudioSet were expected, such as {TAGS['dog'][0]!r}, got {list(labels)[:3]}")
    return known
