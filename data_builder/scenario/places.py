"""Where a moment of a day happens: how a place sounds, which labels and beds are plausible there, and when.

RT60 ranges are ours: everyday furnished rooms of 8 to 60 m3 and the larger public rooms, after the typical values that
room acoustics textbooks give (Kuttruff, Room Acoustics).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """A room or a public place.

    `rt60`: range in s. `sounds`: event labels one may hear there at any time; `beds`: continuous backgrounds. `tools`:
    the sets of functions that may be offered there ("home", "coffee" or ""). `reasons`: why somebody who is not at home
    may be there ("work", "site", "out"); empty for a room of the home. `feature`: what a home must have to have it.
    """

    name: str
    rt60: Span
    sounds: frozenset[str]
    beds: tuple[str, ...]
    tools: tuple[str, ...] = ("home",)
    reasons: tuple[str, ...] = ()
    outdoor: bool = False
    feature: str = ""

    @property
    def at_home(self) -> bool:
        return not self.reasons


_PERSON = "coughing sneezing laugh hiccup_burp footsteps phone_ring "
_ROOM = _PERSON + "alarm door knock doorbell clock_tick click siren dog cat cat_meow whistle scream thunder rain wind "
_ROOM += "thunderstorm glass_break beep music low_battery_chirp "
_OPEN = _PERSON + "siren dog bird chirping_birds crow airplane helicopter car_horn horn wind rain thunder "
"thunderstorm "
_OPEN += "car_engine whistle children_playing scream insect "
_STREET = _OPEN + "engine_idling car_crash_skid church_bells bell street_music jackhammer drilling train gunshot "
_STREET += "explosion glass_break knock coins alarm applause_clap "
_RAIN = ("rain", "rain/light-rain", "rain/rain-on-leaves", "rain/rain-on-umbrella")
_ROOM_BEDS = ("fan", "hum", "air_conditioner", "bg_pink_noise", "bg_white_noise", "rain/light-rain", "things/clock")
_STREET_BEDS = ("urban/road", "urban/busy-street", "bg_pink_noise")


def _place(
    name: str,
    rt60: Span,
    sounds: str,
    beds: tuple[str, ...],
    tools: tuple[str, ...] = ("home",),
    *,
    why: str = "",
    outdoor: bool = False,
    feature: str = "",
) -> Place:
    return Place(name, rt60, frozenset(sounds.split()), beds, tools, tuple(why.split()), outdoor, feature)


_ALL: Final = (
    _place(
        "kitchen", (0.35, 0.8), _ROOM + "arcing open_door_beep hissing_leak dripping grinding_motor kettle_boil "
        "water swords_metal hum fan crying_baby chirping_birds coins",
        (*_ROOM_BEDS, "kitchen_ambience", "dishes", "things/bubbles", "things/washing-machine"),
        ("home", "home", "coffee", ""),
    ),
    _place(
        "living room", (0.3, 0.65), _ROOM + "arcing crackling_fire applause_clap children_playing crying_baby "
        "vacuum_fan fan "
        "keyboard_typing air_conditioner snore snoring coins airplane church_bells",
        (*_ROOM_BEDS, "vacuum_fan", "nature/campfire", "things/slide-projector", "things/paper"), ("home", "home", ""),
    ),
    _place(
        "bedroom", (0.25, 0.55), _ROOM + "snore snoring crying_baby air_conditioner fan owl chirping_birds rooster "
        "church_bells hum",
        (*_ROOM_BEDS, "places/night-village", "wind"), ("home", "home", ""),
    ),
    _place(
        "bathroom", (0.5, 1.2), _ROOM + "dripping hissing_leak unbalanced_washer water fan hum crying_baby",
        (*_ROOM_BEDS, "things/bubbles", "things/washing-machine"),
    ),
    _place("hallway", (0.5, 1.3), _ROOM + "coins bell telephone_busy children_playing vacuum_fan", _ROOM_BEDS),
    _place(
        "nursery", (0.25, 0.55), _ROOM + "crying_baby children_playing camera_shutter fan", _ROOM_BEDS, feature="baby"
    ),
    _place(
        "office", (0.25, 0.55), _ROOM + "arcing grinding_motor keyboard_typing telephone_busy air_conditioner fan "
        "hum camera_shutter "
        "drilling jackhammer crying_baby",
        (*_ROOM_BEDS, "things/keyboard", "things/typewriter", "things/paper"), ("home", "home", ""), feature="office",
    ),
    _place(
        "garage", (0.6, 1.4), _ROOM + "arcing grinding_motor hissing_leak open_door_beep saw_drill_tools drilling "
        "car_engine engine_idling swords_metal car_horn chainsaw "
        "bird hum fan",
        ("fan", "hum", "bg_pink_noise", "bg_exercise_bike", "wind", "rain"), feature="garage",
    ),
    _place(
        "garden", (0.05, 0.2), _OPEN + "cat cat_meow chicken rooster owl frog duck_goose church_bells chainsaw water "
        "crackling_fire saw_drill_tools sheep_goat gunshot explosion applause_clap music glass_break",
        ("animals/birds", "nature/wind-in-trees", "wind", "nature/campfire", "urban/road", "places/night-village",
         "nature/walk-on-gravel", *_RAIN),
        outdoor=True, feature="garden",
    ),
    _place(
        "laundry room", (0.5, 1.1), _ROOM + "unbalanced_washer dripping hissing_leak grinding_motor arcing "
        "open_door_beep water hum coins",
        ("places/laundry-room", "things/washing-machine", "hum", "fan"), feature="laundry",
    ),
    _place(
        "car", (0.04, 0.1), _PERSON + "car_engine engine_idling car_horn horn siren car_crash_skid rain thunder beep "
        "click music crying_baby children_playing dog thunderstorm wind",
        ("urban/road", "bg_pink_noise", "things/windshield-wipers", "rain", "air_conditioner"), ("",),
        why="work site out",
    ),
    _place("street", (0.1, 0.6), _STREET, (*_STREET_BEDS, *_RAIN), ("",), why="work site out", outdoor=True),
    _place(
        "train", (0.2, 0.5), _PERSON + "train door beep alarm crying_baby children_playing keyboard_typing music bell "
        "whistle air_conditioner coins",
        ("transport/inside-a-train", "transport/train", "bg_pink_noise"), ("",), why="work site out",
    ),
    _place(
        "station", (0.9, 2.2), _PERSON + "train whistle bell horn crying_baby children_playing coins door alarm siren "
        "street_music glass_break",
        ("transport/train", "urban/busy-street", "urban/road"), ("",), why="work site out",
    ),
    _place(
        "cafe", (0.5, 1.0), _PERSON + "music coins door bell beep glass_break keyboard_typing crying_baby dog siren "
        "alarm water applause_clap children_playing swords_metal",
        ("places/cafe", "places/restaurant", "bg_pink_noise"), ("coffee", "coffee", "coffee", ""), why="work site out",
    ),
    _place(
        "restaurant", (0.5, 1.1), _PERSON + "music coins door glass_break applause_clap crying_baby swords_metal "
        "alarm "
        "crackling_fire children_playing",
        ("places/restaurant", "places/crowded-bar"), ("", "coffee"), why="out",
    ),
    _place(
        "supermarket", (0.7, 1.5), _PERSON + "beep coins music crying_baby children_playing alarm glass_break door "
        "scream hum",
        ("places/supermarket", "air_conditioner", "hum"), ("",), why="out",
    ),
    _place(
        "workplace", (0.35, 0.8), _PERSON + "arcing grinding_motor low_battery_chirp keyboard_typing telephone_busy "
        "door knock beep click alarm air_conditioner "
        "fan applause_clap hum siren drilling jackhammer clock_tick whistle rain thunder camera_shutter glass_break",
        ("air_conditioner", "fan", "hum", "things/keyboard", "things/paper", "bg_pink_noise", "bg_white_noise"),
        ("", "coffee"), why="work",
    ),
    _place(
        "building site", (0.2, 0.9), _OPEN + "jackhammer drilling saw_drill_tools chainsaw engine_idling swords_metal "
        "explosion beep alarm knock glass_break",
        ("urban/road", "wind", "bg_white_noise"), ("",), why="site", outdoor=True,
    ),
    _place(
        "park", (0.05, 0.25), _OPEN + "duck_goose frog owl street_music applause_clap church_bells camera_shutter "
        "bell horse gunshot water explosion",
        ("animals/birds", "nature/wind-in-trees", "nature/walk-on-gravel", "nature/river", "animals/crows", "wind",
         *_RAIN),
        ("",), why="out", outdoor=True,
    ),
    _place(
        "playground", (0.05, 0.25), _OPEN + "crying_baby camera_shutter bell swords_metal church_bells applause_clap",
        ("animals/birds", "urban/road", "nature/wind-in-trees"), ("",), why="out", outdoor=True,
    ),
    _place(
        "beach", (0.03, 0.15), _OPEN + "sea_waves water horn camera_shutter music duck_goose",
        ("sea_waves", "wind", "nature/howling-wind", "transport/sailboat"), ("",), why="out", outdoor=True,
    ),
    _place(
        "farm", (0.05, 0.3), _OPEN + "cow pig sheep_goat horse chicken rooster duck_goose engine_idling gunshot "
        "cat cat_meow camera_shutter chainsaw",
        ("animals/cows", "animals/sheep", "nature/walk-on-gravel", "animals/birds"), ("",), why="out", outdoor=True,
    ),
    _place(
        "zoo", (0.05, 0.3), _OPEN + "lion_roar elephant monkey duck_goose owl frog horse sheep_goat camera_shutter "
        "crying_baby applause_clap",
        ("animals/birds", "animals/wolf", "animals/crows", "nature/waterfall"), ("",), why="out", outdoor=True,
    ),
    _place(
        "church", (1.8, 4.0), _PERSON + "church_bells bell music door crying_baby applause_clap coins thunder",
        ("places/church", "bg_pink_noise"), ("",), why="out",
    ),
    _place(
        "gym", (0.9, 2.0), _PERSON + "music swords_metal whistle applause_clap beep door alarm fan",
        ("bg_exercise_bike", "fan", "air_conditioner"), ("",), why="out",
    ),
    _place(
        "waiting room", (0.4, 0.9), _PERSON + "clock_tick door crying_baby keyboard_typing beep alarm telephone_busy "
        "siren rain",
        ("air_conditioner", "hum", "things/clock", "things/paper"), ("",), why="out",
    ),
    _place(
        "woods", (0.1, 0.5), _OPEN + "owl frog chainsaw gunshot crackling_fire water",
        ("nature/wind-in-trees", "animals/birds", "nature/river", "nature/waterfall", "nature/walk-on-gravel", *_RAIN),
        ("",), why="out", outdoor=True,
    ),
)  # fmt: skip
PLACES: Final[dict[str, Place]] = {place.name: place for place in _ALL}
BED_LABELS: Final = frozenset(bed for place in _ALL for bed in place.beds)

WEATHER: Final = ("clear", "windy", "rain", "storm")
WEATHER_OF: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys((*_RAIN, "things/windshield-wipers"), frozenset({"rain", "storm"})),
    **dict.fromkeys(("thunder", "thunderstorm"), frozenset({"storm"})),
    **dict.fromkeys(("wind", "nature/howling-wind"), frozenset({"windy", "storm"})),
}
"""Labels that need a weather."""
FEATURE_OF: Final[dict[str, str]] = {
    "dog": "dog",
    "cat": "cat",
    "cat_meow": "cat",
    "crying_baby": "baby",
    "crackling_fire": "fireplace",
    "nature/campfire": "fireplace",
}
"""Labels that, indoors at home, need something the home may not have."""
HOURS_OF: Final[dict[str, Span]] = {
    **dict.fromkeys(("owl", "places/night-village"), (18.0, 7.0)),
    **dict.fromkeys(("bird", "chirping_birds", "animals/birds"), (4.0, 21.5)),
    **dict.fromkeys(("jackhammer", "drilling", "chainsaw", "saw_drill_tools", "vacuum_fan"), (7.0, 21.0)),
    "rooster": (4.0, 13.0),
    "children_playing": (7.0, 21.5),
    "church_bells": (6.0, 22.0),
    "street_music": (9.0, 23.5),
}
"""Labels that belong to hours of the day; a span may run over midnight."""


def within(hour: float, span: Span) -> bool:
    """Whether `hour` lies in the span, which runs over midnight where its end is the smaller."""
    start, end = span
    return start <= hour < end if start <= end else hour >= start or hour < end


def obstacle(label: str, place: Place, hour: float, weather: str, features: tuple[str, ...]) -> str:
    """Why `label` cannot be heard there and then, apart from the place itself; "" where it can."""
    if label in WEATHER_OF and weather not in WEATHER_OF[label]:
        return f"{label!r} needs the weather {'/'.join(sorted(WEATHER_OF[label]))}, the day is {weather}"
    if label in HOURS_OF and not within(hour, HOURS_OF[label]):
        start, end = HOURS_OF[label]
        return f"{label!r} is heard from {start:g} to {end:g} h, the moment is at {hour:.2f} h"
    feature = FEATURE_OF.get(label, "")
    if feature and place.at_home and not place.outdoor and feature not in features:
        return f"{label!r} in the {place.name} needs a home with a {feature}"
    return ""
