"""Words for places, music and counts: what is asked and what is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Ambience:
    """Where one is, said no more exactly than one can hear it, and what gives it away.

    indoors: None where it could be either.
    """

    place: str
    clue: str
    indoors: bool | None = None


_DOORS: Final = {"in": True, "out": False, "": None}


def _ambience(line: str) -> tuple[str, Ambience]:
    label, place, clue, door = line.split("|")
    return label, Ambience(place, clue, _DOORS[door])


PLACES: Final[dict[str, Ambience]] = dict(
    _ambience(line)
    for line in """
places/cafe|a place with many people, such as a cafe|people talking and dishes clinking|in
places/restaurant|a place with many people, such as a restaurant|many voices and cutlery|in
places/crowded-bar|a place full of people, such as a bar|a crowd of voices|in
places/supermarket|a big place with many people, such as a supermarket|people, trolleys and beeps|in
places/laundry-room|a room with machines, such as a laundry room|machines that turn|in
places/church|a large hall, such as a church|the echo of a large hall|in
places/night-village|a quiet place at night, such as a village|crickets and far away dogs|out
places/underwater|a place under water|muffled bubbling|
transport/inside-a-train|a train, or a place close to one|wheels on the rails|
transport/train|a train, or a place close to one|a train rolling|
transport/sailboat|a place on the water, such as a boat|water and creaking ropes|out
urban/busy-street|a place with traffic, such as a street|traffic and people passing|out
urban/road|a place with traffic, such as a road|cars passing|out
nature/river|a place with flowing water, such as a river|flowing water|out
nature/waterfall|a place with rushing water, such as a waterfall|rushing water|out
nature/campfire|a place with a fire|a crackling fire|
nature/howling-wind|a windy place|howling wind|
nature/wind-in-trees|a windy place with trees, such as a wood|wind in the leaves|out
nature/walk-on-gravel|a path with small stones|footsteps on gravel|out
rain/light-rain|a place in the rain|rain falling|
rain/rain-on-leaves|a place in the rain, such as a wet garden|rain on leaves|out
rain/rain-on-umbrella|a place in the rain, such as under an umbrella|rain drumming on cloth|out
things/washing-machine|a room with a machine, such as a washing machine|a turning drum|in
things/windshield-wipers|the inside of a car in the rain|wipers going to and fro|in
things/clock|a quiet room with a clock|a ticking clock|in
things/keyboard|a room where somebody types, such as an office|typing|in
things/typewriter|a room where somebody types, such as an office|a typewriter|in
things/paper|a room where somebody sorts papers|rustling paper|in
things/slide-projector|a room with a machine, such as a projector|a humming machine|in
animals/birds|a place with many birds, such as a garden|birds singing|out
animals/cows|a place with animals, such as a farm|cows|
animals/crows|a place with crows, such as a field|crows cawing|out
animals/frog|a place near water, such as a pond|frogs|out
animals/owl|a place at night, such as a wood|an owl|out
animals/sheep|a place with animals, such as a farm|sheep|
animals/wolf|a wild place at night|wolves howling|out
kitchen_ambience|a room where somebody works, such as a kitchen|kitchen sounds|in
dishes|a room where somebody does the dishes|dishes clinking|in
bg_exercise_bike|a room with a machine, such as an exercise bike|something turning|in
wind|a windy place|wind|
rain|a place in the rain|rain|
sea_waves|a place by the sea, such as a beach|waves|out
water|a place with running water|running water|
forest|a place in the country, such as a forest|leaves and insects|out
traffic|a place with traffic, such as a street|traffic|out
machine|a place with a machine|a machine running|
""".strip().splitlines()
)
"""Ambience label -> what can be told of it."""

SCENE_QUESTIONS: Final = (
    "Where am I right now?",
    "What kind of place is this?",
    "What does it sound like around me?",
    "Can you tell where we are?",
    "Which place do you hear?",
    "Describe the surroundings, please.",
    "What is going on around here?",
    "Listen, and tell me where we are.",
    "What place could this be?",
    "Tell me what is around me.",
)
SCENE_ANSWERS: Final = (
    "It sounds like {place}. I hear {clue}.",
    "I think this is {place}: I hear {clue}.",
    "Going by {clue}, this is {place}.",
    "This seems to be {place}. I can hear {clue}.",
    "I hear {clue}, so it could be {place}.",
    "My guess is {place}, because I hear {clue}.",
)
DOOR_QUESTIONS: Final = (
    "Does this sound like indoors or outdoors to you?",
    "Are we indoors or outdoors?",
    "Am I inside or outside right now?",
    "Can you hear whether we are inside or outside?",
    "Do you think that we are indoors or outdoors?",
    "Tell me, is this indoors or outdoors?",
    "Would you say that this is inside or outside?",
    "Does it sound like inside or outside?",
)
INDOORS: Final = (
    "Indoors, I think. I hear {clue}.",
    "It sounds like indoors, because I hear {clue}.",
    "I would say inside, going by {clue}.",
    "Inside. I hear {clue}.",
    "We seem to be indoors. I can hear {clue}.",
)
OUTDOORS: Final = (
    "Outdoors, I think. I hear {clue}.",
    "It sounds like outdoors, because I hear {clue}.",
    "I would say outside, going by {clue}.",
    "Outside. I hear {clue}.",
    "We seem to be outdoors. I can hear {clue}.",
)
SCENE_INSTRUCTIONS: Final = (
    "Tell me what place this is, once.",
    "As soon as you know where we are, say so.",
    "Describe the place in one sentence.",
    "I cannot see. Tell me where I am.",
    "Name the surroundings when you recognise them.",
    "Say once what the background is.",
    "Recognise the place and tell me.",
    "Listen to the background and describe it.",
)
MUSIC_QUESTIONS: Final = (
    "What instrument is that?",
    "What am I listening to?",
    "Which instrument was playing?",
    "Can you tell me the instrument?",
    "What kind of music was that?",
    "Who or what is playing there?",
    "Do you know what instrument that was?",
    "What did you hear in the music?",
)
MUSIC_ANSWERS: Final = (
    "I hear {a}.",
    "It sounds like {a}.",
    "That sounds like {a}.",
    "The music is played on {a}.",
    "I would say {a}.",
    "To my ears this is played on {a}.",
)
MUSIC_INSTRUCTIONS: Final = (
    "Tell me which instruments you hear.",
    "Name the instrument whenever music plays.",
    "Say what is playing.",
    "When music starts, tell me the instrument.",
    "Be my music guide and name what plays.",
    "Tell me about any music that you hear.",
    "Name each instrument in a short sentence.",
    "If there is music, tell me what it is played on.",
)
NO_MUSIC: Final = (
    "I have not heard any music.",
    "There was no music, as far as I can tell.",
    "I heard no instrument.",
    "No music so far.",
    "I did not hear any music just now.",
)
COUNT_INSTRUCTIONS: Final = (
    "Count {x} aloud.",
    "Every time you hear {x}, say how many there were so far.",
    "Keep count of {x} and tell me each time.",
    "Count each time that you hear {x}.",
    "Tell me the number whenever you hear {x}.",
    "Count for me: {x}.",
    "Number each one when you hear {x}.",
    "Please count along whenever you hear {x}.",
)
COUNT_QUESTIONS: Final = (
    "How many times did you hear {x}?",
    "How often did you hear {x}?",
    "Did you count how often you heard {x}?",
    "How many times have you heard {x} so far?",
    "Tell me how often you heard {x}.",
    "What is the count for {x}?",
)
COUNT_ANSWERS: Final = (
    "I heard {bare} {times}.",
    "{Times}: that is how often I heard {bare}.",
    "By my count I heard {bare} {times}.",
    "{Times}, as far as I could hear.",
    "I counted {bare} {times}.",
    "{Times}.",
)
COUNT_FORMS: Final = ("{Number}.", "That is {number}.", "Number {number}.", "{Number} so far.", "{Number} now.")
TIMES: Final = ("not once", "once", "twice", "three times", "four times", "five times")
