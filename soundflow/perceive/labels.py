"""What the 521 AudioSet labels of YAMNet mean to a home: groups, parents, and words for a reply. Names, no model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from soundflow.perceive.names import display_name

__all__ = [
    "ALERTING",
    "GENERIC",
    "HAZARDS",
    "MUSIC",
    "NOT_OF_YAMNET",
    "SPEECH",
    "UNREPORTED",
    "display_name",
    "group_of",
]

ALERTING: Final[Mapping[str, tuple[str, ...]]] = {
    "alarm": ("Smoke detector, smoke alarm", "Fire alarm", "Alarm", "Car alarm", "Alarm clock", "Buzzer"),
    "siren": (
        "Siren",
        "Civil defense siren",
        "Police car (siren)",
        "Ambulance (siren)",
        "Fire engine, fire truck (siren)",
        "Emergency vehicle",
    ),
    "glass": ("Shatter", "Glass", "Breaking", "Smash, crash"),
    "gunshot": ("Gunshot, gunfire", "Machine gun", "Fusillade", "Artillery fire"),
    "explosion": ("Explosion", "Boom", "Eruption"),
    "scream": ("Screaming", "Yell", "Shout", "Bellow"),
    "cry": ("Baby cry, infant cry", "Crying, sobbing", "Whimper", "Wail, moan"),
    "cough": ("Cough", "Wheeze", "Gasp", "Throat clearing"),
    "doorbell": ("Doorbell", "Ding-dong"),
    "knock": ("Knock",),
    "phone": ("Telephone bell ringing", "Ringtone", "Telephone"),
}
"""Group -> labels that tell somebody something, the plainest first. A sound in no group is benign or of context."""

HAZARDS: Final[frozenset[str]] = frozenset({"alarm", "siren", "glass", "gunshot", "explosion", "scream", "cry"})
"""Groups that are told of whatever somebody waits for."""

_GENDERED_SPEECH = ("Male speech, man speaking", "Female speech, woman speaking")
_GENDERED_SINGING = ("Male singing", "Female singing")
NOT_OF_YAMNET: Final[frozenset[str]] = frozenset({*_GENDERED_SPEECH, *_GENDERED_SINGING, "Battle cry", "Funny music"})
"""Classes of AudioSet's 527 that YAMNet's 521 leave out and other encoders have."""

SPEECH: Final[frozenset[str]] = frozenset(
    {
        "Speech",
        *_GENDERED_SPEECH,
        "Child speech, kid speaking",
        "Conversation",
        "Narration, monologue",
        "Babbling",
        "Speech synthesizer",
        "Whispering",
        "Chatter",
        "Hubbub, speech noise, speech babble",
    }
)

_SINGING = ("Choir", "Yodeling", "Chant", "Mantra", *_GENDERED_SINGING, "Child singing", "Synthetic singing", "Rapping")
_PLUCKED = (
    *("Guitar", "Electric guitar", "Bass guitar", "Acoustic guitar", "Steel guitar, slide guitar"),
    *("Tapping (guitar technique)", "Strum", "Banjo", "Sitar", "Mandolin", "Zither", "Ukulele"),
)
_KEYBOARD = (
    *("Piano", "Electric piano", "Organ", "Electronic organ", "Hammond organ", "Synthesizer", "Sampler"),
    "Harpsichord",
)
_DRUMS = ("Drum", "Snare drum", "Rimshot", "Drum roll", "Bass drum", "Timpani", "Tabla", "Cymbal", "Hi-hat")
_MALLETS = ("Marimba, xylophone", "Glockenspiel", "Vibraphone", "Steelpan")
_PERCUSSION = (
    *("Drum kit", "Drum machine", *_DRUMS, "Wood block", "Tambourine", "Rattle (instrument)", "Maraca", "Gong"),
    *("Tubular bells", "Mallet percussion", *_MALLETS),
)
_BRASS = ("French horn", "Trumpet", "Trombone")
_BOWED = ("String section", "Violin, fiddle", "Pizzicato", "Cello", "Double bass")
_WIND = ("Flute", "Saxophone", "Clarinet")
_INSTRUMENTS = (
    *("Plucked string instrument", *_PLUCKED, "Keyboard (musical)", *_KEYBOARD, "Percussion", *_PERCUSSION),
    *("Orchestra", "Brass instrument", *_BRASS, "Bowed string instrument", *_BOWED),
    *("Wind instrument, woodwind instrument", *_WIND, "Harp", "Harmonica", "Accordion", "Bagpipes", "Didgeridoo"),
    *("Shofar", "Theremin", "Singing bowl", "Scratching (performance technique)"),
)
_GENRES = (
    *("Pop music", "Hip hop music", "Beatboxing", "Rock music", "Heavy metal", "Punk rock", "Grunge"),
    *("Progressive rock", "Rock and roll", "Psychedelic rock", "Rhythm and blues", "Soul music", "Reggae", "Country"),
    *("Swing music", "Bluegrass", "Funk", "Folk music", "Middle Eastern music", "Jazz", "Disco", "Classical music"),
    *("Opera", "Electronic music", "House music", "Techno", "Dubstep", "Drum and bass", "Electronica"),
    *("Electronic dance music", "Ambient music", "Trance music", "Music of Latin America", "Salsa music", "Flamenco"),
    *("Blues", "Music for children", "New-age music", "Vocal music", "A capella", "Music of Africa", "Afrobeat"),
    *("Christian music", "Gospel music", "Music of Asia", "Carnatic music", "Music of Bollywood", "Ska"),
    *("Traditional music", "Independent music", "Song", "Background music", "Theme music", "Jingle (music)"),
    *("Soundtrack music", "Lullaby", "Video game music", "Christmas music", "Dance music", "Wedding music"),
    *("Happy music", "Sad music", "Tender music", "Exciting music", "Angry music", "Scary music", "Funny music"),
)
MUSIC: Final[frozenset[str]] = frozenset(
    {"Music", "Musical instrument", *_INSTRUMENTS, *_GENRES, "Singing", *_SINGING, "Humming"}
)

_DOG = ("Bark", "Yip", "Howl", "Bow-wow", "Growling", "Whimper (dog)")
_CAT = ("Purr", "Meow", "Hiss", "Caterwaul")
_PETS = ("Dog", *_DOG, "Cat", *_CAT)
_FARM = (
    *("Horse", "Clip-clop", "Neigh, whinny", "Cattle, bovinae", "Moo", "Cowbell", "Pig", "Oink", "Goat", "Bleat"),
    *("Sheep", "Fowl", "Chicken, rooster", "Cluck", "Crowing, cock-a-doodle-doo", "Turkey", "Gobble", "Duck", "Quack"),
    *("Goose", "Honk"),
)
_BIRD = (
    *("Bird vocalization, bird call, bird song", "Chirp, tweet", "Squawk", "Pigeon, dove", "Coo", "Crow", "Caw"),
    *("Owl", "Hoot", "Bird flight, flapping wings"),
)
_INSECT = ("Cricket", "Mosquito", "Fly, housefly", "Bee, wasp, etc.")
_WILD = (
    *("Roaring cats (lions, tigers)", "Roar", "Bird", *_BIRD, "Rodents, rats, mice", "Mouse"),
    *("Patter", "Insect", *_INSECT, "Frog", "Croak", "Snake", "Whale vocalization"),
)
_SIRENS = ("Police car (siren)", "Ambulance (siren)", "Fire engine, fire truck (siren)")
_PHONE = ("Telephone bell ringing", "Ringtone", "Telephone dialing, DTMF", "Dial tone", "Busy signal")
_ALARMS = (
    *("Telephone", *_PHONE, "Alarm clock", "Siren", "Civil defense siren", *_SIRENS, "Buzzer"),
    *("Smoke detector, smoke alarm", "Fire alarm", "Foghorn", "Whistle", "Steam whistle", "Car alarm", "Doorbell"),
    "Ding-dong",
)
_CAR = ("Car alarm", "Vehicle horn, car horn, honking", "Toot", "Skidding", "Tire squeal", "Car passing by")
_TRUCK = ("Air brake", "Air horn, truck horn", "Reversing beeps", "Ice cream truck, ice cream van")
_ROAD = (
    *("Car", *_CAR, "Power windows, electric windows", "Race car, auto racing", "Truck", *_TRUCK, "Bus"),
    *("Emergency vehicle", *_SIRENS, "Motorcycle", "Traffic noise, roadway noise"),
)
_RAIL = (
    *("Train", "Train whistle", "Train horn", "Railroad car, train wagon", "Train wheels squealing"),
    "Subway, metro, underground",
)
_AIR = ("Aircraft engine", "Jet engine", "Propeller, airscrew", "Helicopter", "Fixed-wing aircraft, airplane")
_BOAT = ("Sailboat, sailing ship", "Rowboat, canoe, kayak", "Motorboat, speedboat", "Ship")
_ENGINE = (
    *("Light engine (high frequency)", "Dental drill, dentist's drill", "Lawn mower", "Chainsaw"),
    *("Medium engine (mid frequency)", "Heavy engine (low frequency)", "Engine knocking", "Engine starting", "Idling"),
    "Accelerating, revving, vroom",
)
_WATER = (
    *("Rain", "Raindrop", "Rain on surface", "Stream", "Waterfall", "Ocean", "Waves, surf", "Steam", "Gurgling"),
    *("Water tap, faucet", "Sink (filling or washing)", "Bathtub (filling or washing)", "Toilet flush"),
)
_LIQUID = (
    *("Splash, splatter", "Slosh", "Squish", "Drip", "Pour", "Trickle, dribble", "Gush", "Fill (with liquid)"),
    *("Spray", "Pump (liquid)", "Stir", "Boiling"),
)
_GUNS = ("Machine gun", "Fusillade", "Artillery fire", "Cap gun")
_EXPLOSIONS = ("Gunshot, gunfire", *_GUNS, "Fireworks", "Firecracker", "Burst, pop", "Eruption", "Boom")
_DOOR = ("Doorbell", "Ding-dong", "Sliding door", "Slam", "Knock")

GENERIC: Final[Mapping[str, tuple[str, ...]]] = {
    "Speech": (*_GENDERED_SPEECH, "Child speech, kid speaking", "Conversation", "Narration, monologue", "Whispering"),
    "Shout": ("Bellow", "Whoop", "Yell", "Battle cry", "Children shouting", "Screaming"),
    "Laughter": ("Baby laughter", "Giggle", "Snicker", "Belly laugh", "Chuckle, chortle"),
    "Crying, sobbing": ("Baby cry, infant cry", "Whimper", "Wail, moan"),
    "Singing": _SINGING,
    "Breathing": ("Wheeze", "Snoring", "Gasp", "Pant", "Snort"),
    "Hands": ("Finger snapping", "Clapping"),
    "Crowd": ("Cheering", "Applause", "Chatter", "Hubbub, speech noise, speech babble"),
    "Animal": (
        *("Domestic animals, pets", *_PETS, "Livestock, farm animals, working animals", *_FARM),
        *("Wild animals", *_WILD, "Canidae, dogs, wolves"),
    ),
    "Domestic animals, pets": _PETS,
    "Dog": _DOG,
    "Cat": _CAT,
    "Livestock, farm animals, working animals": _FARM,
    "Fowl": ("Chicken, rooster", "Cluck", "Crowing, cock-a-doodle-doo", "Turkey", "Gobble", "Duck", "Quack", "Goose"),
    "Wild animals": _WILD,
    "Canidae, dogs, wolves": ("Dog", *_DOG),
    "Bird": _BIRD,
    "Insect": _INSECT,
    "Music": ("Musical instrument", *_INSTRUMENTS, *_GENRES, "Singing", *_SINGING),
    "Musical instrument": _INSTRUMENTS,
    "Plucked string instrument": _PLUCKED,
    "Guitar": ("Electric guitar", "Bass guitar", "Acoustic guitar", "Steel guitar, slide guitar"),
    "Keyboard (musical)": _KEYBOARD,
    "Percussion": _PERCUSSION,
    "Drum kit": _DRUMS,
    "Mallet percussion": _MALLETS,
    "Brass instrument": _BRASS,
    "Bowed string instrument": _BOWED,
    "Wind instrument, woodwind instrument": _WIND,
    "Bell": ("Church bell", "Jingle bell", "Bicycle bell", "Cowbell", "Chime", "Wind chime", "Doorbell", "Ding-dong"),
    "Wind": ("Rustling leaves", "Wind noise (microphone)"),
    "Thunderstorm": ("Thunder",),
    "Water": (*_WATER, *_LIQUID),
    "Rain": ("Raindrop", "Rain on surface"),
    "Fire": ("Crackle",),
    "Liquid": _LIQUID,
    "Vehicle": (
        *("Boat, Water vehicle", *_BOAT, "Motor vehicle (road)", *_ROAD, "Rail transport", *_RAIL, "Aircraft", *_AIR),
        *("Bicycle", "Skateboard"),
    ),
    "Boat, Water vehicle": _BOAT,
    "Motor vehicle (road)": _ROAD,
    "Car": _CAR,
    "Truck": _TRUCK,
    "Emergency vehicle": _SIRENS,
    "Rail transport": _RAIL,
    "Aircraft": _AIR,
    "Engine": _ENGINE,
    "Door": _DOOR,
    "Alarm": _ALARMS,
    "Siren": ("Civil defense siren", *_SIRENS),
    "Telephone": _PHONE,
    "Typing": ("Typewriter", "Computer keyboard"),
    "Mechanisms": (
        *("Ratchet, pawl", "Clock", "Tick", "Tick-tock", "Gears", "Pulleys", "Sewing machine", "Mechanical fan"),
        *("Air conditioning", "Cash register", "Printer", "Camera", "Single-lens reflex camera"),
    ),
    "Clock": ("Tick", "Tick-tock"),
    "Tools": ("Hammer", "Jackhammer", "Sawing", "Filing (rasp)", "Sanding", "Power tool", "Drill"),
    "Power tool": ("Drill", "Jackhammer"),
    "Explosion": _EXPLOSIONS,
    "Gunshot, gunfire": _GUNS,
    "Wood": ("Chop", "Splinter", "Crack"),
    "Glass": ("Chink, clink", "Shatter"),
    "Thump, thud": ("Knock", "Thunk"),
}
"""Parent -> all labels below it. A parent says nothing that its child has not said better."""

UNREPORTED: Final[frozenset[str]] = frozenset(
    {
        *("Silence", "Sine wave", "Harmonic", "Chirp tone", "Sound effect", "Pulse", "Inside, small room"),
        *("Inside, large room or hall", "Inside, public space", "Outside, urban or manmade"),
        *("Outside, rural or natural", "Reverberation", "Echo", "Noise", "Environmental noise", "Static", "Mains hum"),
        *("Distortion", "Sidetone", "Cacophony", "White noise", "Pink noise", "Throbbing", "Vibration"),
        *("Field recording", "Wind noise (microphone)", "Effects unit", "Chorus effect", "Electronic tuner"),
    }
)
"""Scenes and textures: no events."""


def group_of(label: str) -> str | None:
    """The alerting group of a label, or None."""
    return _GROUP_OF.get(label)


_GROUP_OF: Final[Mapping[str, str]] = {label: group for group, labels in ALERTING.items() for label in labels}
