"""How a transcript is asked for, and plain sentences to dictate."""

from __future__ import annotations

from collections.abc import Sequence
from string import Formatter
from typing import Final

from data_builder.talk import Rng, pick

TRANSCRIBE: Final = (
    "Write down what you hear.",
    "Transcribe all speech.",
    "Write every spoken word.",
    "Take dictation: write what is said, word for word.",
    "Give me the exact words that are spoken.",
    "Please write subtitles for what is said.",
    "I am deaf. Write down what people say.",
    "Type what you hear, nothing else.",
    "Keep a record of what is said.",
    "Turn speech into text, and leave other sounds alone.",
)
ONLY_ENGLISH: Final = (
    "Write down what you hear, but only English.",
    "Transcribe English speech only.",
    "Write what is said in English and ignore other languages.",
    "Only English: write down every word.",
    "Take dictation in English. Skip any other language.",
    "Give me the words of English speakers only.",
    "Please write subtitles for English speech, not for foreign speech.",
    "Type what is said in English, nothing else.",
)
IN_NOISE: Final = (
    "Write down what I say. Ignore the noise and the television.",
    "It is loud here. Transcribe only the person who speaks to you.",
    "Take dictation in spite of the noise, and leave the television out.",
    "Write the words of the speaker in the room, nothing from the loudspeaker.",
    "Transcribe me through the noise. The radio does not matter.",
    "I am far from the microphone. Write down what I say, not the television.",
    "Write down the nearest voice and skip the background.",
    "Note what is said to you in this noise, nothing else.",
)
LONG: Final = (
    "Write down everything I read to you, sentence by sentence.",
    "I will dictate for a while. Write each sentence when it is over.",
    "Transcribe the whole reading. Send each part after its pause.",
    "Keep writing as I speak, one line for each sentence.",
    "Take down this lecture line by line.",
    "Please transcribe my notes as I go along.",
    "Write the minutes, word for word, after each sentence.",
    "This is a long dictation. Give me every sentence once it is complete.",
)
SPEAKERS: Final = (
    "Write down who says what: Speaker 1, Speaker 2 and so on.",
    "Transcribe the conversation and number the speakers.",
    "Write each sentence with the number of its speaker.",
    "Several people will speak. Label every line with Speaker 1, Speaker 2, ...",
    "Keep the minutes with numbered speakers.",
    "Tell the voices apart and write what each one says, as Speaker 1 and so on.",
    "Write subtitles that start with the speaker's number.",
    "Number the speakers in the order in which they first speak, and write their words.",
)

_TEMPLATES: Final = """
Please buy {food} and {food} on the way home.
The {thing} is still in the {room}.
We will meet {time} at the {town}.
My {person} wants to paint the {room} {colour}.
I put the {colour} {thing} next to the {thing}.
Our {person} will come to dinner {time}.
There are {number} {things} in the {room}.
The {town} opens {time}.
I have to clean the {room} before {day}.
Can somebody bring the {thing} into the {room}?
The {colour} {things} belong to my {person}.
On {day} we are going to the {town} with my {person}.
It takes {number} minutes to walk to the {town}.
Did you remember to call your {person} {time}?
This {thing} is too heavy for my {person}.
We need more {food} for {day}.
The door of the {room} does not close any more.
She gave me {number} {things} and some {food}.
I would rather stay at home {time}.
He left his {thing} at the {town} on {day}.
Let us have {food} for lunch on {day}.
The {town} is closed until {day}.
My {person} is afraid of the dark {room}.
Nobody has seen the {colour} {thing} since {day}.
You can find the {things} behind the {thing}.
I slept for {number} hours last night.
They put fresh {food} on the table in the {room}.
You can see the {town} from the {room}.
Please write {thing} and {number} {things} on the list.
The weather on {day} will be warm and dry.
My {person} told me a long story about the {town}.
We painted the old {thing} {colour} last summer.
"""
TEMPLATES: Final = tuple(_TEMPLATES.strip().splitlines())
SLOTS: Final = {
    name: tuple(values.split("|"))
    for name, values in {
        "food": "bread|milk|butter|cheese|rice|fish|soup|honey|apples|tomatoes|potatoes|coffee|salad|chicken|chocolate",
        "thing": "chair|lamp|box|bag|book|bottle|mirror|clock|ladder|basket|blanket|camera|suitcase|umbrella|table",
        "things": "chairs|lamps|boxes|bags|books|bottles|baskets|blankets|glasses|spoons|pictures|letters|flowers",
        "room": "kitchen|garden|bedroom|garage|hallway|bathroom|office|living room|basement",
        "town": "station|library|museum|market|hospital|school|park|theater|bakery|bank|post office|river",
        "person": "mother|father|sister|brother|uncle|aunt|daughter|son|neighbor|teacher|friend|cousin|grandmother",
        "colour": "red|blue|green|yellow|white|black|brown|orange|pink",
        "number": "two|three|four|five|six|seven|eight|nine|ten|twelve|twenty",
        "day": "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
        "time": "this evening|tomorrow morning|in an hour|next week|this afternoon|in the morning|at noon|next Friday",
    }.items()
}


def dictation(rng: Rng) -> str:
    """A plain sentence of 6 to 14 words; a slot that comes twice is filled with two values."""
    template, used, parts = str(pick(rng, TEMPLATES)), set[str](), []
    for text, name, _, _ in Formatter().parse(template):
        parts.append(text)
        if name:
            left = [v for v in SLOTS[name] if v not in used]
            parts.append(str(pick(rng, left)))
            used.add(parts[-1])
    return "".join(parts)


def told(rng: Rng, count: int) -> Sequence[str]:
    """`count` different sentences."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[dictation(rng)] = None
    return list(found)
