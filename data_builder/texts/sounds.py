"""How each sound class is named: noun phrase, sentence that narrates it, other names people use for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrase:
    """`noun` with its article, `event` a whole sentence, `names` what one may ask for ("tell me when you hear ...")."""

    noun: str
    event: str
    names: tuple[str, ...] = ()

    @property
    def bare(self) -> str:
        """The noun without its article; "duck or goose" for a class of two."""
        head, _, tail = self.noun.replace(" or a ", " or ").partition(" ")
        return tail if head in {"a", "an", "some", "the"} else self.noun


def _p(noun: str, event: str, *names: str) -> Phrase:
    return Phrase(noun, event, names)


PHRASES: dict[str, Phrase] = {
    "air_conditioner": _p("an air conditioner", "An air conditioner is humming.", "the air conditioning"),
    "airplane": _p("an airplane", "An airplane is flying past.", "a plane", "an aircraft"),
    "alarm": _p("an alarm", "An alarm is beeping.", "the smoke alarm", "a fire alarm", "a smoke detector"),
    "applause_clap": _p("some clapping", "People are clapping.", "applause", "someone clap"),
    "bell": _p("a bell", "A bell is ringing.", "a bell ringing"),
    "bird": _p("a bird", "A bird is singing.", "birdsong", "a bird singing"),
    "beep": _p("a single beep", "Something beeped once.", "a beep", "the microwave beep"),
    "camera_shutter": _p("a camera shutter", "A camera took a picture.", "a camera click"),
    "car_crash_skid": _p("a crash or a skidding car", "A car skidded or crashed.", "a car accident"),
    "car_engine": _p("a car engine", "A car engine is running.", "a car", "an engine"),
    "car_horn": _p("a car horn", "A car is honking.", "a car honking", "honking"),
    "cat": _p("a cat", "A cat is meowing.", "a cat meow", "meowing"),
    "cat_meow": _p("a cat", "A cat is meowing.", "a cat meow", "meowing"),
    "chainsaw": _p("a chainsaw", "A chainsaw is running.", "a chain saw", "someone sawing with a motor"),
    "chicken": _p("a hen", "A hen is clucking.", "a chicken", "hens clucking"),
    "children_playing": _p("some children playing", "Children are playing.", "children", "kids playing"),
    "chirping_birds": _p("some birds chirping", "Birds are chirping.", "birds", "birdsong"),
    "church_bells": _p("some church bells", "Church bells are ringing.", "the church bells", "bells ringing"),
    "click": _p("a click", "Something clicked.", "a switch click", "a clicking sound"),
    "clock_tick": _p("a ticking clock", "A clock is ticking.", "a clock", "a clock ticking"),
    "coins": _p("some coins", "Coins are jingling.", "coins jingling", "change rattling"),
    "coughing": _p("a cough", "Someone is coughing.", "someone cough", "coughing"),
    "cow": _p("a cow", "A cow is mooing.", "a cow moo", "cattle"),
    "crackling_fire": _p("a crackling fire", "A fire is crackling.", "a fire", "a fire crackling"),
    "crow": _p("a crow", "A crow is cawing.", "a crow caw"),
    "crying_baby": _p("a crying baby", "A baby is crying.", "the baby cry", "a baby", "the baby crying"),
    "dog": _p("a dog", "A dog is barking.", "a dog bark", "barking", "the dog"),
    "door": _p("a door", "A door opened or closed.", "the door", "a door slam", "a door closing"),
    "doorbell": _p("a doorbell", "The doorbell is ringing.", "the doorbell", "someone ring the bell"),
    "drilling": _p("a drill", "Someone is drilling.", "drilling", "a power drill"),
    "duck_goose": _p("a duck or a goose", "A duck or a goose is calling.", "ducks or geese"),
    "elephant": _p("an elephant", "An elephant is trumpeting.", "elephants"),
    "engine_idling": _p("an idling engine", "An engine is idling.", "an engine running"),
    "explosion": _p("an explosion", "Something exploded.", "a blast", "a big bang"),
    "fan": _p("a fan", "A fan is running.", "a fan blowing", "the fan"),
    "footsteps": _p("some footsteps", "Someone is walking.", "footsteps", "someone walking"),
    "frog": _p("a frog", "A frog is croaking.", "frogs", "a frog croak"),
    "glass_break": _p("some breaking glass", "Glass is breaking.", "glass break", "a window break", "breaking glass"),
    "gunshot": _p("a gunshot", "A gun was fired.", "gunfire", "a shot", "shooting"),
    "helicopter": _p("a helicopter", "A helicopter is overhead.", "a chopper"),
    "hiccup_burp": _p("a hiccup or a burp", "Someone hiccuped or burped.", "someone hiccup or burp"),
    "horn": _p("a horn", "A horn is sounding.", "a horn blow", "honking"),
    "horse": _p("a horse", "A horse is neighing or trotting.", "a horse neigh", "horses"),
    "hum": _p("a low hum", "Something is humming.", "a humming sound", "mains hum"),
    "insect": _p("an insect", "An insect is buzzing.", "insects", "buzzing", "crickets"),
    "jackhammer": _p("a jackhammer", "A jackhammer is pounding.", "road works"),
    "kettle_boil": _p("a kettle", "The kettle is boiling.", "the kettle boil", "water boiling"),
    "keyboard_typing": _p("some typing", "Someone is typing.", "typing", "a keyboard"),
    "knock": _p("a knock", "Someone is knocking.", "knocking", "someone knock", "a knock at the door"),
    "laugh": _p("some laughter", "Someone is laughing.", "laughter", "someone laugh"),
    "lion_roar": _p("a lion", "A lion is roaring.", "a lion roar"),
    "monkey": _p("a monkey", "A monkey is calling.", "monkeys"),
    "music": _p("some music", "Music is playing.", "music", "a tune", "someone play music"),
    "owl": _p("an owl", "An owl is hooting.", "an owl hoot"),
    "phone_ring": _p("a phone", "A phone is ringing.", "the phone ring", "my phone", "the telephone"),
    "pig": _p("a pig", "A pig is grunting.", "pigs", "a pig grunt"),
    "rain": _p("some rain", "It is raining.", "rain", "rainfall", "it start to rain"),
    "rooster": _p("a rooster", "A rooster is crowing.", "a cock crow", "the rooster"),
    "saw_drill_tools": _p("a saw or another tool", "Someone is sawing or drilling.", "tools", "power tools"),
    "scream": _p("a scream", "Someone is screaming.", "someone scream", "screaming"),
    "sea_waves": _p("some sea waves", "Waves are rolling in.", "waves", "the sea"),
    "sheep_goat": _p("a sheep or a goat", "A sheep or a goat is bleating.", "sheep or goats"),
    "siren": _p("a siren", "A siren is wailing.", "sirens", "an ambulance", "a police siren"),
    "sneezing": _p("a sneeze", "Someone sneezed.", "someone sneeze", "sneezing"),
    "snore": _p("some snoring", "Someone is snoring.", "snoring", "someone snore"),
    "snoring": _p("some snoring", "Someone is snoring.", "snoring", "someone snore"),
    "street_music": _p("some street music", "Street music is playing.", "street musicians"),
    "swords_metal": _p("some clanging metal", "Metal is clanging.", "metal clanging", "swords"),
    "telephone_busy": _p("a busy tone", "A telephone is busy.", "the busy tone"),
    "thunder": _p("some thunder", "Thunder is rolling.", "thunder", "a thunderclap"),
    "thunderstorm": _p("a thunderstorm", "A thunderstorm is near.", "thunder", "a storm"),
    "train": _p("a train", "A train is passing.", "a train pass", "the railway"),
    "vacuum_fan": _p("a vacuum cleaner", "A vacuum cleaner is running.", "vacuuming", "a hoover"),
    "water": _p("some running water", "Water is running.", "water", "the tap running", "water pouring"),
    "whistle": _p("a whistle", "Someone whistled.", "whistling", "someone whistle"),
    "wind": _p("some wind", "The wind is blowing.", "wind", "the wind blow"),
    "arcing": _p("some electric sparks", "Something electric is sparking.", "sparks", "electric crackling"),
    "dripping": _p("some dripping water", "Water is dripping.", "dripping", "a leaking tap"),
    "grinding_motor": _p("a grinding motor", "A motor is grinding.", "grinding"),
    "hissing_leak": _p("a hissing leak", "Something is hissing.", "hissing", "a leak"),
    "low_battery_chirp": _p("a low battery chirp", "A detector is chirping.", "a chirp", "a battery warning"),
    "open_door_beep": _p("a beeping appliance", "An appliance is beeping.", "the fridge alarm"),
    "unbalanced_washer": _p("a banging washing machine", "A washing machine is banging.", "the washing machine bang"),
}
ALERT_LABELS = (
    "alarm", "siren", "glass_break", "gunshot", "explosion", "scream",
    "crying_baby", "coughing", "doorbell", "knock", "phone_ring",
)  # fmt: skip
# Classes that one cannot fairly tell apart by ear: never the target and a distractor of one stream.
ALIKE: tuple[frozenset[str], ...] = (
    frozenset({"bird", "chirping_birds", "crow", "owl", "duck_goose", "chicken", "insect"}),
    frozenset({"rooster", "chicken"}),
    frozenset({"water", "rain", "sea_waves", "dripping", "hissing_leak"}),
    frozenset({"low_battery_chirp", "open_door_beep", "beep", "alarm", "bird"}),
    frozenset({"arcing", "crackling_fire", "insect"}),
    frozenset({"grinding_motor", "unbalanced_washer", "car_engine", "drilling", "vacuum_fan", "knock"}),
    frozenset({"horn", "car_horn"}),
    frozenset({"bell", "church_bells", "doorbell", "music"}),
    frozenset({"thunder", "thunderstorm", "explosion", "gunshot"}),
    frozenset({"cat", "cat_meow"}),
    frozenset({"snore", "snoring"}),
    frozenset({"music", "street_music"}),
    frozenset({"alarm", "beep", "siren", "telephone_busy", "phone_ring"}),
    frozenset({"car_engine", "engine_idling", "airplane", "helicopter", "train", "car_crash_skid", "chainsaw"}),
    frozenset({"drilling", "jackhammer", "saw_drill_tools", "chainsaw", "vacuum_fan"}),
    frozenset({"door", "knock", "footsteps"}),
    frozenset({"glass_break", "swords_metal", "coins", "dishes"}),
    frozenset({"scream", "children_playing", "laugh", "crying_baby"}),
    frozenset({"coughing", "sneezing", "hiccup_burp"}),
    frozenset({"wind", "fan", "hum", "air_conditioner", "vacuum_fan", "sea_waves"}),
    frozenset({"click", "clock_tick", "keyboard_typing", "camera_shutter", "coins"}),
    frozenset({"cow", "pig", "sheep_goat", "horse", "elephant", "lion_roar", "monkey", "frog"}),
)

NARRATION_INSTRUCTIONS: tuple[str, ...] = (
    "Describe every sound you hear.",
    "Tell me each sound as it happens.",
    "Name every sound in one short sentence.",
    "I cannot hear well. Tell me what sounds there are.",
    "Narrate the sounds around me.",
    "Say what you hear, sound by sound.",
    "Describe all sounds briefly.",
    "Be my ears and report every sound.",
)
NARRATION_FORMS: tuple[str, ...] = (
    "{event}",
    "{event}",
    "{event}",
    "I hear {noun}.",
    "That sounds like {noun}.",
    "I can hear {noun}.",
    "Now I hear {noun}.",
    "It sounds like {noun}.",
)
WATCH_INSTRUCTIONS: tuple[str, ...] = (
    "Tell me when you hear {x}.",
    "Let me know when you hear {x}.",
    "Say something as soon as you hear {x}.",
    "Listen for {x} and tell me.",
    "Alert me if you hear {x}.",
    "I am waiting for {x}. Tell me when that comes.",
    "Please notify me when {x} can be heard.",
    "If you hear {x}, let me know.",
    "Watch out for {x} and report to me.",
    "Tell me the moment you hear {x}.",
)
WATCH_FORMS: tuple[str, ...] = (
    "I hear the {bare} now.",
    "Here is what you asked for: {noun}.",
    "Now I hear {noun}.",
    "You asked me to listen: I hear {noun}.",
    "I just heard {noun}.",
    "As you asked: I heard {noun}.",
    "{event}",
)
HEARD_FORMS: tuple[str, ...] = (
    "I heard {list}.",
    "I just heard {list}.",
    "What I heard: {list}.",
    "I could hear {list}.",
    "My ears caught {list}.",
    "So far I heard {list}.",
)
HEARD_NOTHING: tuple[str, ...] = (
    "I have not heard anything special.",
    "Nothing special. It was quiet.",
    "I heard no particular sound.",
    "It has been quiet so far.",
    "Nothing worth telling.",
    "Only you. It was quiet before.",
)


def alike(a: str, b: str) -> bool:
    """True where `a` and `b` are one class or cannot fairly be told apart."""
    return a == b or any(a in group and b in group for group in ALIKE)


def listing(labels: list[str]) -> str:
    """ "a dog, a bell and a knock" for labels in order."""
    nouns = [PHRASES[label].noun for label in labels]
    return nouns[0] if len(nouns) == 1 else ", ".join(nouns[:-1]) + " and " + nouns[-1]
