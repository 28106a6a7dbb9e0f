"""Words for places, music and counts: what is asked and what is answered."""

from __future__ import annotations

from typing import Final

PLACES: Final[dict[str, tuple[str, ...]]] = {
    "places/cafe": ("a cafe", "people talking and dishes clinking"),
    "places/restaurant": ("a restaurant", "many voices and cutlery"),
    "places/crowded-bar": ("a crowded bar", "a crowd of voices"),
    "places/supermarket": ("a supermarket", "people, trolleys and checkout beeps"),
    "places/laundry-room": ("a laundry room", "washing machines running"),
    "places/church": ("a church", "a large echoing hall"),
    "places/night-village": ("a village at night", "crickets and far away dogs"),
    "places/underwater": ("a place under water", "muffled bubbling"),
    "transport/inside-a-train": ("the inside of a train", "wheels on the rails"),
    "transport/train": ("a railway line", "a train rolling"),
    "transport/sailboat": ("a sailing boat", "water against the hull and creaking ropes"),
    "urban/busy-street": ("a busy street", "traffic and people passing"),
    "urban/road": ("a roadside", "cars passing"),
    "urban/fireworks": ("a fireworks display", "rockets bursting"),
    "nature/river": ("a river bank", "flowing water"),
    "nature/waterfall": ("a place near a waterfall", "falling water"),
    "nature/campfire": ("a camp fire", "a crackling fire"),
    "nature/howling-wind": ("a windy place outdoors", "howling wind"),
    "nature/wind-in-trees": ("a wood in the wind", "rustling leaves"),
    "nature/walk-on-gravel": ("a gravel path", "footsteps on gravel"),
    "rain/light-rain": ("a place in light rain", "rain falling"),
    "rain/rain-on-leaves": ("a wood in the rain", "rain on leaves"),
    "rain/rain-on-umbrella": ("a rainy street, seen from under an umbrella", "rain on an umbrella"),
    "rain/thunder": ("a thunderstorm", "thunder and rain"),
    "things/washing-machine": ("a room with a washing machine", "a turning drum"),
    "things/windshield-wipers": ("a car in the rain", "windscreen wipers"),
    "things/clock": ("a quiet room with a clock", "a ticking clock"),
    "things/keyboard": ("an office", "somebody typing"),
    "things/typewriter": ("a room with a typewriter", "a typewriter"),
    "things/paper": ("a desk with papers", "rustling paper"),
    "things/slide-projector": ("a room with a slide projector", "a humming projector"),
    "animals/birds": ("a garden full of birds", "birds singing"),
    "animals/cows": ("a farm", "cows"),
    "animals/crows": ("a field with crows", "crows cawing"),
    "animals/frog": ("a pond", "frogs"),
    "animals/owl": ("a wood at night", "an owl"),
    "animals/sheep": ("a pasture", "sheep"),
    "animals/wolf": ("a wild place", "wolves howling"),
    "kitchen_ambience": ("a kitchen", "kitchen sounds"),
    "dishes": ("a kitchen", "somebody doing the dishes"),
    "bg_exercise_bike": ("a room with an exercise bike", "an exercise bike turning"),
    "wind": ("a windy place", "wind"),
    "rain": ("a rainy place", "rain"),
    "sea_waves": ("a beach", "waves"),
    "water": ("a place with running water", "running water"),
    "forest": ("a forest", "leaves and insects"),
    "traffic": ("a place near a busy road", "traffic"),
    "machine": ("a machine room", "a machine running"),
}
"""Ambience label -> (where that is, what gives it away)."""

SCENE_QUESTIONS: Final = (
    "Where am I right now?",
    "What kind of place is this?",
    "What does it sound like around me?",
    "Can you tell where we are?",
    "Which place do you hear?",
    "Describe the surroundings, please.",
    "What is going on around here?",
    "Does this sound like indoors or outdoors to you?",
    "What place could this be?",
    "Tell me what is around me.",
)
SCENE_ANSWERS: Final = (
    "It sounds like {place}. I hear {clue}.",
    "I think this is {place}: I hear {clue}.",
    "Going by {clue}, this is {place}.",
    "This seems to be {place}. There is {clue}.",
    "I hear {clue}, so it could be {place}.",
    "My guess is {place}. The clue is {clue}.",
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
    "That is {a}.",
    "I hear {a}.",
    "It sounds like {a}.",
    "The music is played on {a}.",
    "That was {a}.",
    "I would say {a}.",
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
    "Please count along whenever there is {x}.",
)
COUNT_QUESTIONS: Final = (
    "How many times did you hear {x}?",
    "How often was there {x}?",
    "Did you count? How many times was there {x}?",
    "How many times have you heard {x} so far?",
    "Tell me how often you heard {x}.",
    "What is the count for {x}?",
)
COUNT_ANSWERS: Final = (
    "I heard {bare} {times}.",
    "{Times}: that is how often I heard {bare}.",
    "There was {bare} {times}.",
    "{Times}, as far as I could hear.",
    "I counted {bare} {times}.",
    "{Times}.",
)
COUNT_FORMS: Final = ("{Number}.", "That is {number}.", "Number {number}.", "{Number} so far.", "{Number} now.")
TIMES: Final = ("not once", "once", "twice", "three times", "four times", "five times")
