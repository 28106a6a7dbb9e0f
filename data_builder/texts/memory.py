"""Facts that people tell, with the question that needs each, and the answer; for conversations that look back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from data_builder.sources import Rng, pick
from data_builder.texts.numbers import number


@dataclass(frozen=True, slots=True)
class Fact:
    """`told` is said to the system; `asked` needs it later, and `answers` are right: wordings of each."""

    told: tuple[str, ...]
    asked: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    """Templates of one kind: {k} tells facts of a kind apart, {v} is what is to be remembered."""

    keys: tuple[str, ...]
    values: tuple[str, ...]
    told: tuple[str, ...]
    asked: tuple[str, ...]
    answers: tuple[str, ...]


def _kind(keys: str, values: str, told: str, asked: str, answers: str) -> _Kind:
    return _Kind(*(tuple(x.strip() for x in text.split("|")) for text in (keys, values, told, asked, answers)))


_NAMES: Final = (
    "Tom|Anna|Peter|Lisa|Emma|Jack|Paul|Kate|Lucy|Oscar|Max|Bella|Charlie|Molly|Ruby|Sam|Rosie|Toby|Simon|Laura"
)
_DAYS: Final = "on Monday|on Tuesday|on Wednesday|on Thursday|on Friday|on Saturday|on Sunday"
_COLOURS: Final = "red|blue|green|yellow|black|white|brown|grey|orange|purple|pink"
_KINDS: Final = (
    _kind("dog|cat|horse|rabbit|bird|pony|hamster",
    _NAMES, "My {k} is called {v}.|My {k}'s name is {v}.|I have a {k}, and "
          "it is called {v}.|We named our {k} {v}.|Our {k} is called {v}.",
          "What is the name of my {k}?|What is my {k} called?|How did "
          "I say my {k} is called?|Do you remember the name of my {k}?|Tell me the name of my {k}.",
          "Your {k} is called {v}.|It is {v}.|Its name is {v}.|You said {v}.|Your {k} is {v}."),
    _kind("sister|brother|teacher|boss|doctor|neighbour|cousin|uncle|aunt",
    _NAMES, "My {k} is called {v}.|The name of my {k} is {v}.|My {k}'s "
          "name is {v}.|Remember that my {k} is {v}.|You know, my {k} is called {v}.",
          "What is the name of my {k}?|What is my {k} called?|Do you "
          "remember the name of my {k}?|Who is my {k}?|What did I say my {k} is called?",
          "Your {k} is called {v}.|That is {v}.|{v}.|You said {v}.|The name is {v}."),
    _kind("keys|glasses|gloves|books|tickets|papers|boots|batteries|pills|scissors",
          "on the table|in the kitchen|under the bed|in the car|on the shelf|in the drawer|by the door|in my bag|"
          "in the hall|on the chair",
          "My {k} are {v}.|I put my {k} {v}.|I left the {k} {v}.|The {k} are {v}.|Remember, my {k} are {v}.",
          "Where are my {k}?|Where did I put the {k}?|Do you remember where my {k} are?|"
          "I need my {k}, where are they?|Can you tell me where my {k} are?",
          "They are {v}.|Your {k} are {v}.|You said {v}.|You left them {v}.|Look {v}."),
    _kind("dentist|meeting|party|match|concert|lesson|wedding|exam|picnic|market", _DAYS,
          "The {k} is {v}.|Remember, the {k} is {v}.|I have the {k} {v}.|Note that the {k} is {v}.|"
          "They moved the {k}, it is {v}.",
          "When is the {k}?|On which day is the {k}?|What day is the {k}?|Do you remember when the {k} is?|"
          "Which day did I say for the {k}?",
          "The {k} is {v}.|It is {v}.|You said {v}.|That is {v}.|You have the {k} {v}."),
    _kind("car|door|coat|kitchen|sofa|bike|hat|boat|scarf|garage|bag|lamp", _COLOURS,
          "My new {k} is {v}.|The {k} is {v}.|Our {k} is {v} now.|I bought it, and my {k} is {v}.|"
          "They painted my {k} {v}.",
          "What colour is my {k}?|Which colour does my {k} have?|Do you remember the colour of my {k}?|"
          "What did I say, which colour is the {k}?|Tell me the colour of my {k}.",
          "Your {k} is {v}.|It is {v}.|{V}.|You said {v}.|The {k} is {v}."),
    _kind("locker|room|table|seat|house|bus|gate|ticket", "#",
          "My {k} number is {v}.|The number of my {k} is {v}.|Note my {k} number, {v}.|I have {k} number {v}.|"
          "It is {k} number {v}.",
          "What is my {k} number?|Which {k} number did I say?|What is the number of my {k}?|"
          "Do you remember my {k} number?|Tell me my {k} number.",
          "Your {k} number is {v}.|It is {v}.|That is number {v}.|You said {v}.|The number is {v}."),
    _kind("son|daughter|mother|father|uncle|sister|brother|cousin",
    "London|Paris|Berlin|Rome|Madrid|Boston|Chicago|Dublin|Vienna|Tokyo|Oslo|Boston",
          "My {k} lives in {v}.|My {k} moved to {v}.|I will visit my {k} in {v}.|You know, my {k} is from {v}.|"
          "My {k} has a flat in {v}.",
          "In which city is my {k}?|Which city did I name for my {k}?|Do you remember the city of my {k}?|"
          "Which city goes with my {k}?|What was the city of my {k}?",
          "That is {v}.|It is {v}.|You said {v}.|{v}.|Your {k} goes with {v}."),
    _kind("soup|fruit|cake|drink|sport|season|animal|game", "*",
          "My favourite {k} is {v}.|I like {v} best.|The {k} I like most is {v}.|Of every {k} I love {v} most.|"
          "For me the best {k} is {v}.",
          "What is my favourite {k}?|Which {k} do I like best?|What {k} did I say I like most?|"
          "Do you remember my favourite {k}?|Which is my favourite {k}?",
          "Your favourite {k} is {v}.|You like {v} best.|It is {v}.|You said {v}.|That is {v}."),
    _kind("breakfast|lunch|dinner|the party|the guests|the picnic|the trip",
    "rice|soup|pancakes|salad|pizza|fish|chicken|pasta|bread and cheese|apple pie|potatoes|sandwiches",
          "I want to make {v} for {k}.|For {k} there will be {v}.|Let us have {v} for {k}.|I plan {v} for {k}.|"
          "We will eat {v} for {k}.",
          "What did I plan for {k}?|What will there be for {k}?|What do I want to make for {k}?|"
          "Do you remember the food for {k}?|What was my idea for {k}?",
          "You planned {v}.|There will be {v}.|{V} for {k}.|You said {v}.|It was {v}."),
    _kind("shoes|coat|table|lamp|bike|phone|chair|dress|radio|ticket", "#",
          "The {k} cost {v} euros.|I paid {v} euros for the {k}.|For the {k} I paid {v} euros.|"
          "They want {v} euros for the {k}.|I sold the {k} for {v} euros.",
          "How much was it for the {k}?|What was the price of the {k}?|How many euros did I say for the {k}?|"
          "Do you remember the price of the {k}?|Which price did I tell you for the {k}?",
          "It was {v} euros.|The {k} was {v} euros.|You said {v} euros.|{V} euros.|That was {v} euros."),
    _kind("son|daughter|cat|dog|car|house|uncle|neighbour|teacher|grandma", "#",
          "My {k} is {v} years old.|Now my {k} is {v} years old.|You know, my {k} is {v} years old.|"
          "We found out that my {k} is {v} years old.|By the way, my {k} is {v} years old.",
          "How old is my {k}?|What did I say, how old is my {k}?|Do you remember the age of my {k}?|"
          "What is the age of my {k}?|Tell me how old my {k} is.",
          "Your {k} is {v} years old.|{V} years old.|You said {v}.|Your {k} is {v}.|That is {v} years."),
)  # fmt: skip
_FAVOURITES: Final = {
    "soup": "tomato|onion|potato|carrot|chicken|mushroom",
    "fruit": "apples|pears|cherries|lemons|bananas|grapes|peaches",
    "cake": "apple|cherry|lemon|chocolate|carrot|cheese",
    "drink": "tea|coffee|milk|cocoa|water|apple juice",
    "sport": "tennis|football|swimming|running|dancing|hockey",
    "season": "spring|summer|autumn|winter",
    "animal": "the horse|the lion|the rabbit|the elephant|the penguin|the bear",
    "game": "chess|cards|dominoes|hide and seek|bowling",
}
NOTED: Final = (
    "Noted.",
    "Okay.",
    "Got it.",
    "All right.",
    "I will remember.",
    "Good to know.",
    "Sure.",
    "Thanks, noted.",
)
LISTS: Final = (
    # how an item is told, how the list is asked for by its place, and its items
    (
        "Put {v} on my list.|Add {v} to my list.|I need {v} on my list.",
        "What was the {o} thing on my list?|Which thing is {o} on my list?",
        "milk|butter|bread|soap|rice|honey|salt|apples|cheese|paper|coffee|eggs",
    ),
    (
        "I need to buy {v}.|We have to buy {v}.|Remember to buy {v}.",
        "What did I want to buy {t}?|Which was the {o} thing to buy?",
        "a hammer|a lamp|a brush|a rope|some paint|some nails|a bucket|a ladder|some glue",
    ),
    (
        "I want to visit {v}.|I would love to see {v}.|We might travel to {v}.",
        "Which place did I name {t}?|Which city did I say {t}?",
        "London|Paris|Rome|Berlin|Vienna|Madrid|Lisbon|Dublin|Athens|Tokyo",
    ),
    (
        "Please invite {v}.|I want to invite {v}.|We should invite {v}, too.",
        "Who did I ask you to invite {t}?|Who was the {o} guest?",
        "Anna|Tom|Lisa|Peter|Emma|Paul|Kate|Jack|Laura|Simon",
    ),
    (
        "I have to call {v}.|Remember that I must call {v}.|I need to call {v}.",
        "Who did I say I have to call {t}?|Who was the {o} one to call?",
        "the bank|the school|the dentist|my mother|my boss|the plumber|the hotel",
    ),
    (
        "Today I must {v}.|I still have to {v}.|I want to {v} today.",
        "Which task did I tell you {t}?|What was the {o} task?",
        "clean the car|feed the cat|water the plants|pay the rent|wash the windows|bake bread|cut the grass",
    ),
)
LIST_QUESTIONS: Final = (
    "What was the {o} thing I told you?",
    "Tell me the {o} thing I said.",
    "Which one did I name {t}?",
)
MEMORY_GAME: Final = (
    "Let us play, remember my words.", "Remember the words that I say.", "I will say some words, remember them.",
    "Keep these words in mind for me.", "Please remember the next words.", "Test your memory, here are some words.",
    "I want you to remember a few words.", "Listen to my words and remember them.",
)  # fmt: skip
GAME_WORDS: Final = tuple(
    [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "zero",
        "house",
        "cat",
        "bed",
        "happy",
        "left",
        "learn",
    ]
)
GAME_QUESTIONS: Final = (
    "What was the {o} word?", "Which word did I say {t}?", "Tell me the {o} word.", "Do you remember the {o} word?",
    "Can you name the {o} word?", "What did I say {t}?", "Now, what was the {o} word?",
    "Say the {o} word again, please.",
)  # fmt: skip
GAME_ANSWERS: Final = (
    "It was {v}.",
    "The {o} word was {v}.",
    "{V}.",
    "You said {v}.",
    "That was {v}.",
    "The word was {v}.",
)
LIST_ANSWERS: Final = ("It was {v}.", "The {o} was {v}.", "{V}.", "You said {v}.", "That was {v}.", "{V} came {t}.")
SOUND_QUESTIONS: Final = (
    "What was the sound before I asked about {x}?", "Which sound was there before I asked about {x}?",
    "What did you hear before I asked about {x}?", "What was that noise before my question about {x}?",
    "Before I asked about {x}, what was the sound?", "Which noise came before my question about {x}?",
    "Do you know the sound before I asked about {x}?", "What made a noise before I asked about {x}?",
)  # fmt: skip
SOUND_ANSWERS: Final = (
    "I heard {noun}.", "You could hear {noun}.", "It sounded like {noun}.", "My notes say {noun}.", "I noted {noun}.",
    "Before that question I heard {noun}.",
)  # fmt: skip


def _values(rng: Rng, kind: _Kind, key: str) -> str:
    if kind.values == ("#",):
        return number(int(rng.integers(3, 100)))
    return str(pick(rng, _FAVOURITES[key].split("|") if kind.values == ("*",) else kind.values))


def facts(rng: Rng, count: int) -> list[Fact]:
    """`count` facts of one kind about different things with different values: each is a distractor of the others."""
    kind: _Kind = pick(rng, _KINDS)
    keys = [str(k) for k in rng.choice(kind.keys, size=min(count, len(kind.keys)), replace=False)]
    used: set[str] = set()
    found = []
    for key in keys:
        value = _values(rng, kind, key)
        for _ in range(20):
            if value not in used:
                break
            value = _values(rng, kind, key)
        used.add(value)
        slots = {"k": key, "v": value, "V": value[0].upper() + value[1:]}
        told, asked, answers = (tuple(x.format(**slots) for x in t) for t in (kind.told, kind.asked, kind.answers))
        if kind.values == ("*",):  # "I like tennis best." does not say what kind it is
            told = tuple(text for text in told if key in text)
        found.append(Fact(told, asked, answers))
    return found


def ordered(rng: Rng, count: int) -> tuple[list[tuple[str, ...]], Callable[[int], tuple[str, str]]]:
    """(wordings of `count` utterances that fill a list, k -> question and answer for its k-th entry, from 0)."""
    told, asked, items = LISTS[int(rng.integers(len(LISTS)))]
    values = [str(v) for v in rng.choice(items.split("|"), size=count, replace=False)]
    questions = (*asked.split("|") * 2, *LIST_QUESTIONS)
    return [tuple(x.format(v=v) for x in told.split("|")) for v in values], lambda k: by_place(
        rng, values, k, questions, LIST_ANSWERS
    )


def by_place(rng: Rng, values: Sequence[str], k: int, asked: Sequence[str], answers: Sequence[str]) -> tuple[str, str]:
    """A question for the value at place `k`, and its answer."""
    place = ("first", "second", "third", "fourth", "fifth")[k]
    slots = {"o": place, "t": place, "v": values[k], "V": values[k][0].upper() + values[k][1:]}
    return str(pick(rng, asked)).format(**slots), str(pick(rng, answers)).format(**slots)
