"""Sounds that a head of its own names (`soundflow.perceive.named`): what corpora call them, and AudioSet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from soundflow.errors import DataError

PENALTY: Final = 1e-4
"""Of the squared weights of a head, chosen on cal streams (training/RUNS.md)."""
CLASSES: Final[dict[str, tuple[str, ...]]] = {
    "airplane": ("Aircraft", "Fixed-wing aircraft, airplane"),
    "alarm": ("Alarm", "Smoke detector, smoke alarm", "Fire alarm", "Alarm clock", "Buzzer"),
    "applause_clap": ("Applause", "Clapping"),
    "beep": ("Beep, bleep",),
    "bell": ("Bell", "Church bell"),
    "bird": ("Bird", "Bird vocalization, bird call, bird song", "Chirp, tweet"),
    "camera_shutter": ("Camera", "Single-lens reflex camera"),
    "car_engine": ("Engine", "Idling", "Accelerating, revving, vroom"),
    "cat_meow": ("Cat", "Meow"),
    "chainsaw": ("Chainsaw",),
    "children_playing": ("Children playing",),
    "click": ("Clicking",),
    "clock_tick": ("Clock", "Tick", "Tick-tock"),
    "coins": ("Coin (dropping)",),
    "coughing": ("Cough",),
    "cow": ("Cattle, bovinae", "Moo"),
    "crackling_fire": ("Fire", "Crackle"),
    "crow": ("Crow", "Caw"),
    "crying_baby": ("Baby cry, infant cry", "Crying, sobbing"),
    "dishes": ("Dishes, pots, and pans",),
    "dog": ("Dog", "Bark", "Yip", "Bow-wow"),
    "door": ("Door", "Slam"),
    "doorbell": ("Doorbell", "Ding-dong"),
    "duck_goose": ("Duck", "Quack", "Goose", "Honk"),
    "explosion": ("Explosion",),
    "fan": ("Mechanical fan",),
    "footsteps": ("Walk, footsteps", "Run"),
    "frog": ("Frog", "Croak"),
    "glass_break": ("Shatter", "Glass"),
    "gunshot": ("Gunshot, gunfire", "Machine gun"),
    "helicopter": ("Helicopter",),
    "hiccup_burp": ("Hiccup", "Burping, eructation"),
    "horn": ("Vehicle horn, car horn, honking",),
    "horse": ("Horse", "Neigh, whinny", "Clip-clop"),
    "hum": ("Hum", "Mains hum"),
    "insect": ("Insect", "Cricket"),
    "keyboard_typing": ("Typing", "Computer keyboard", "Typewriter"),
    "knock": ("Knock",),
    "laugh": ("Laughter", "Giggle", "Belly laugh", "Chuckle, chortle"),
    "lion_roar": ("Roar", "Roaring cats (lions, tigers)"),
    "music": ("Music",),
    "owl": ("Owl", "Hoot"),
    "phone_ring": ("Telephone", "Telephone bell ringing", "Ringtone"),
    "pig": ("Pig", "Oink"),
    "rain": ("Rain", "Raindrop", "Rain on surface"),
    "rooster": ("Crowing, cock-a-doodle-doo",),
    "scream": ("Screaming",),
    "sea_waves": ("Waves, surf", "Ocean"),
    "sheep_goat": ("Sheep", "Goat", "Bleat"),
    "siren": ("Siren", "Police car (siren)", "Ambulance (siren)", "Fire engine, fire truck (siren)"),
    "sneezing": ("Sneeze",),
    "snore": ("Snoring",),
    "thunder": ("Thunder", "Thunderstorm"),
    "train": ("Train", "Rail transport"),
    "vacuum_fan": ("Vacuum cleaner",),
    "water": ("Water", "Splash, splatter", "Stream", "Pour", "Liquid", "Drip"),
    "whistle": ("Whistling", "Whistle"),
    "wind": ("Wind",),
}
"""Class -> its labels, each in one class only."""

CALLED: Final[dict[str, str]] = {
    "snoring": "snore", "cat": "cat_meow", "bg_dude_miaowing": "cat_meow", "chirping_birds": "bird",
    "thunderstorm": "thunder", "car_horn": "horn", "church_bells": "bell", "dripping": "water",
    "animals/birds": "bird", "animals/crows": "crow", "animals/owl": "owl", "animals/frog": "frog",
    "animals/cows": "cow", "animals/sheep": "sheep_goat", "nature/campfire": "crackling_fire", "nature/river": "water",
    "nature/waterfall": "water", "nature/wind-in-trees": "wind", "nature/howling-wind": "wind",
    "nature/walk-on-gravel": "footsteps", "rain/light-rain": "rain", "rain/rain-on-leaves": "rain",
    "rain/rain-on-umbrella": "rain", "things/keyboard": "keyboard_typing", "things/typewriter": "keyboard_typing",
    "things/clock": "clock_tick", "transport/train": "train", "transport/inside-a-train": "train",
    "engine_idling": "car_engine", "open_door_beep": "beep", "low_battery_chirp": "beep",
}  # fmt: skip
"""What corpora call some of them, too."""

UNSURE: Final[dict[str, tuple[str, ...]]] = {
    "air_conditioner": ("fan",), "airplane": ("car_engine",), "alarm": ("beep", "siren"), "animals/wolf": ("dog",),
    "applause_clap": ("laugh",), "bell": ("doorbell",), "chainsaw": ("car_engine",), "chicken": ("rooster",),
    "cow": ("lion_roar",), "crow": ("bird",), "dishes": ("glass_break",), "doorbell": ("bell",),
    "drilling": ("car_engine",), "duck_goose": ("bird",), "explosion": ("gunshot", "thunder"), "fan": ("vacuum_fan",),
    "glass_break": ("dishes",), "gunshot": ("explosion",), "helicopter": ("car_engine",),
    "home_background": ("water", "dishes"), "hum": ("fan",), "insect": ("bird",), "jackhammer": ("car_engine",),
    "kettle_boil": ("water",), "kitchen_ambience": ("water", "dishes"), "owl": ("bird",),
    "phone_ring": ("bell", "music"), "places/cafe": ("dishes",), "places/crowded-bar": ("dishes",),
    "places/laundry-room": ("water", "vacuum_fan"), "places/restaurant": ("dishes",), "rain": ("water",),
    "rain/thunder": ("rain", "thunder"), "rooster": ("bird",), "saw_drill_tools": ("chainsaw", "car_engine"),
    "scream": ("children_playing",), "sea_waves": ("water",), "siren": ("alarm",), "street_music": ("music",),
    "swords_metal": ("dishes",), "telephone_busy": ("beep", "phone_ring"), "thunder": ("rain",),
    "urban/busy-street": ("car_engine", "horn"), "urban/road": ("car_engine",), "vacuum_fan": ("fan",),
    "water": ("rain",),
}  # fmt: skip
"""What a sound may be as well: nothing is said of these classes while it is heard."""


def class_of(label: str) -> str | None:
    """The class of a corpus' label, None where it has no head."""
    name = CALLED.get(label, label)
    return name if name in CLASSES else None


def known(labels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The classes of which an encoder with these labels knows some. DataError where it knows none."""
    here = set(labels)
    found = {name: tuple(x for x in group if x in here) for name, group in CLASSES.items()}
    if not (some := {name: group for name, group in found.items() if group}):
        raise DataError(f"labels of AudioSet were expected, such as 'Dog', got {list(labels)[:3]}")
    return some
