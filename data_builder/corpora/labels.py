"""Corpus labels in our words: AudioSet's names (FSD50K shares them), and what each asks of a listener."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from data_builder.texts.sounds import ALERT_LABELS

DISTRESS: Final = frozenset({*ALERT_LABELS, "crying", "car_crash_skid", "choking"})
CONTEXT: Final = frozenset(
    {"dog", "sneezing", "thunder", "crackling_fire", "door", "footsteps", "horn", "car_horn", "chainsaw", "water"}
    | {
        "drilling",
        "helicopter",
        "hiccup_burp",
        "jackhammer",
        "kettle_boil",
        "snore",
        "shout",
        "groan",
        "gasp",
        "whimper",
    }
    | {"wail_moan", "wheeze", "throat_clearing", "thump_thud", "bang", "smash_crash", "breaking", "fireworks"}
)
"""A person would look at the situation: scored apart (PARTS.md "Audio"; the same policy as the shared clips)."""

AUDIOSET: Final[dict[str, str]] = {
    "Accelerating, revving, vroom": "car_engine",
    "Air conditioning": "air_conditioner",
    "Air horn, truck horn": "horn",
    "Aircraft": "airplane",
    "Alarm clock": "alarm",
    "Ambulance (siren)": "siren",
    "Applause": "applause_clap",
    "Artillery fire": "gunshot",
    "Baby cry, infant cry": "crying_baby",
    "Baby laughter": "laugh",
    "Bark": "dog",
    "Beep, bleep": "beep",
    "Belly laugh": "laugh",
    "Bicycle bell": "bell",
    "Bird": "bird",
    "Bird vocalization, bird call, bird song": "bird",
    "Bleat": "sheep_goat",
    "Boiling": "kettle_boil",
    "Boom": "explosion",
    "Bow-wow": "dog",
    "Burping, eructation": "hiccup_burp",
    "Busy signal": "telephone_busy",
    "Buzz": "insect",
    "Buzzer": "alarm",
    "Camera": "camera_shutter",
    "Car": "car_engine",
    "Car alarm": "alarm",
    "Car passing by": "car_engine",
    "Cat": "cat",
    "Cattle, bovinae": "cow",
    "Caterwaul": "cat",
    "Caw": "crow",
    "Chainsaw": "chainsaw",
    "Cheering": "applause_clap",
    "Chicken, rooster": "chicken",
    "Children playing": "children_playing",
    "Chirp, tweet": "chirping_birds",
    "Chuckle, chortle": "laugh",
    "Church bell": "church_bells",
    "Civil defense siren": "siren",
    "Clapping": "applause_clap",
    "Clicking": "click",
    "Clip-clop": "horse",
    "Clock": "clock_tick",
    "Cluck": "chicken",
    "Coin (dropping)": "coins",
    "Computer keyboard": "keyboard_typing",
    "Cough": "coughing",
    "Crackle": "crackling_fire",
    "Cricket": "insect",
    "Croak": "frog",
    "Crow": "crow",
    "Crowing, cock-a-doodle-doo": "rooster",
    "Crying, sobbing": "crying",
    "Ding-dong": "doorbell",
    "Dog": "dog",
    "Door": "door",
    "Doorbell": "doorbell",
    "Drill": "drilling",
    "Duck": "duck_goose",
    "Emergency vehicle": "siren",
    "Explosion": "explosion",
    "Fire": "crackling_fire",
    "Fire alarm": "alarm",
    "Fire engine, fire truck (siren)": "siren",
    "Fixed-wing aircraft, airplane": "airplane",
    "Foghorn": "horn",
    "Frog": "frog",
    "Fusillade": "gunshot",
    "Giggle": "laugh",
    "Goat": "sheep_goat",
    "Goose": "duck_goose",
    "Gunshot, gunfire": "gunshot",
    "Helicopter": "helicopter",
    "Hiccup": "hiccup_burp",
    "Hoot": "owl",
    "Horse": "horse",
    "Howl": "dog",
    "Hum": "hum",
    "Idling": "engine_idling",
    "Insect": "insect",
    "Jackhammer": "jackhammer",
    "Knock": "knock",
    "Laughter": "laugh",
    "Machine gun": "gunshot",
    "Mains hum": "hum",
    "Mechanical fan": "fan",
    "Meow": "cat_meow",
    "Mosquito": "insect",
    "Moo": "cow",
    "Music": "music",
    "Neigh, whinny": "horse",
    "Ocean": "sea_waves",
    "Oink": "pig",
    "Owl": "owl",
    "Pig": "pig",
    "Police car (siren)": "siren",
    "Pour": "water",
    "Power tool": "saw_drill_tools",
    "Purr": "cat",
    "Quack": "duck_goose",
    "Rail transport": "train",
    "Rain": "rain",
    "Rain on surface": "rain",
    "Raindrop": "rain",
    "Reversing beeps": "beep",
    "Ringtone": "phone_ring",
    "Roar": "lion_roar",
    "Roaring cats (lions, tigers)": "lion_roar",
    "Run": "footsteps",
    "Sawing": "saw_drill_tools",
    "Screaming": "scream",
    "Shatter": "glass_break",
    "Sheep": "sheep_goat",
    "Single-lens reflex camera": "camera_shutter",
    "Sink (filling or washing)": "water",
    "Siren": "siren",
    "Skidding": "car_crash_skid",
    "Slam": "door",
    "Sliding door": "door",
    "Smoke detector, smoke alarm": "alarm",
    "Sneeze": "sneezing",
    "Snicker": "laugh",
    "Snoring": "snoring",
    "Stream": "water",
    "Subway, metro, underground": "train",
    "Telephone": "phone_ring",
    "Telephone bell ringing": "phone_ring",
    "Thunder": "thunder",
    "Thunderstorm": "thunderstorm",
    "Tick": "clock_tick",
    "Tick-tock": "clock_tick",
    "Tire squeal": "car_crash_skid",
    "Tools": "saw_drill_tools",
    "Toot": "car_horn",
    "Train": "train",
    "Train horn": "horn",
    "Trickle, dribble": "water",
    "Typing": "keyboard_typing",
    "Vacuum cleaner": "vacuum_fan",
    "Vehicle horn, car horn, honking": "car_horn",
    "Walk, footsteps": "footsteps",
    "Water": "water",
    "Water tap, faucet": "water",
    "Waterfall": "water",
    "Waves, surf": "sea_waves",
    "Whistle": "whistle",
    "Whistling": "whistle",
    "Wind": "wind",
    "Wind noise (microphone)": "wind",
    "Yip": "dog",
    "Alarm": "alarm",
    "Bell": "bell",
}
"""AudioSet display name -> our label. Names that are not here keep their own words, lower_snake."""

GENERIC: Final = frozenset(
    {"Alarm", "Bell", "Bird", "Cat", "Clock", "Dog", "Door", "Explosion", "Fire", "Tools", "Power tool", "Rain"}
    | {"Telephone", "Thunderstorm", "Train", "Rail transport", "Water", "Car", "Aircraft", "Insect", "Music"}
    | {"Chicken, rooster", "Bird vocalization, bird call, bird song"}
)
"""Parents: they count only where no child of theirs, nor any other name of ours, stands beside them."""

LOOSE: Final = frozenset(
    {"Speech", "Music", "Animal", "Human voice", "Vehicle", "Domestic sounds, home sounds", "Wind"}
)
SPEECH_NAMES: Final = frozenset(
    {"Speech", "Male speech, man speaking", "Female speech, woman speaking", "Child speech, kid speaking"}
    | {"Conversation", "Narration, monologue", "Babbling", "Speech synthesizer", "Whispering", "Chatter"}
    | {"Hubbub, speech noise, speech babble", "Singing"}
)
MUSIC_NAMES: Final = frozenset(
    {"Music", "Musical instrument", "Guitar", "Piano", "Drum", "Percussion", "Orchestra", "Song", "Violin, fiddle"}
    | {"Keyboard (musical)", "Organ", "Flute", "Trumpet", "Saxophone", "Harp", "Accordion", "Drum kit", "Bass guitar"}
)


def snake(name: str) -> str:
    """ "Wail, moan" -> "wail_moan"."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def respond_to(label: str) -> str:
    """yes, context or no: the policy for a sound of this label in a quiet home."""
    return "yes" if label in DISTRESS else "context" if label in CONTEXT else "no"


def best(names: Iterable[str]) -> tuple[str, ...]:
    """The distinct labels that AudioSet names of one clip come to, the most telling first; parents give way.

    Names without a label of ours count only where nothing else is there, and then only the first one.
    """
    listed = list(dict.fromkeys(names))
    known = [name for name in listed if name in AUDIOSET]
    special = [name for name in known if name not in GENERIC]
    found = dict.fromkeys(AUDIOSET[name] for name in special or known)
    if not found:
        rest = [name for name in listed if name not in LOOSE] or listed
        return tuple(snake(name) for name in rest[:1])
    return tuple(sorted(found, key=lambda label: ("yes", "context", "no").index(respond_to(label))))


def kind_of(names: Iterable[str]) -> str:
    """speech, music or event: what a clip with these AudioSet names is."""
    listed = set(names)
    if listed & MUSIC_NAMES and not (listed - MUSIC_NAMES) & set(AUDIOSET):
        return "music"
    return "speech" if listed and listed <= SPEECH_NAMES else "event"


_FSD_FORM: Final = {
    name.replace(", and ", ", ").replace(", ", "_and_").replace(" ", "_"): name
    for name in (*AUDIOSET, *GENERIC, *LOOSE, *SPEECH_NAMES, *MUSIC_NAMES)
}


def from_fsd(label: str) -> str:
    """AudioSet's name for a label as FSD50K spells it: "Walk_and_footsteps" -> "Walk, footsteps"."""
    return _FSD_FORM.get(label, label.replace("_and_", ", ").replace("_", " "))
