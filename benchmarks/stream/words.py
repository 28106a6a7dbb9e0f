"""What is said in these streams: questions with known answers, facts, and sounds as one asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Question:
    """`topic`: how one speaks of the question later; `answers`: each of them is right."""

    text: str
    topic: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """`told` now, `asked` for later."""

    told: str
    asked: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sound:
    """`noun` with its article; `family`: sounds that one may take for each other; `others`: words that name it too."""

    noun: str
    family: str
    others: tuple[str, ...] = ()

    @property
    def known(self) -> str:
        """As one speaks of it when it was named before: "the dog"."""
        _, _, bare = self.noun.partition(" ")
        return f"the {bare}"

    @property
    def answers(self) -> tuple[str, ...]:
        """What counts as naming it."""
        return tuple(f"I heard {x}." for x in (self.noun, *self.others))


def _asked(topic: str, text: str, *answers: str) -> Question:
    return Question(text.format(topic), topic, answers)


QUESTIONS: Final = (
    _asked("seven plus five", "How much is {}?", "Twelve."),
    _asked("nine minus four", "How much is {}?", "Five."),
    _asked("six plus eight", "How much is {}?", "Fourteen."),
    _asked("twenty minus three", "How much is {}?", "Seventeen."),
    _asked("three times four", "How much is {}?", "Twelve."),
    _asked("five plus six", "How much is {}?", "Eleven."),
    _asked("the plural of man", "What is {}?", "The plural is men."),
    _asked("the plural of child", "What is {}?", "The plural is children."),
    _asked("the opposite of hot", "What is {}?", "The opposite is cold."),
    _asked("the opposite of big", "What is {}?", "The opposite is small.", "Little."),
    _asked("the opposite of early", "What is {}?", "The opposite is late."),
    _asked("the opposite of open", "What is {}?", "The opposite is closed.", "Shut."),
    _asked("the month after April", "Which month comes after April?", "May."),
    _asked("the month after August", "Which month comes after August?", "September."),
    _asked("the day after Monday", "Which day comes after Monday?", "Tuesday."),
    _asked("the day before Sunday", "Which day comes before Sunday?", "Saturday."),
    _asked("the capital of France", "What is {}?", "Paris."),
    _asked("the capital of Italy", "What is {}?", "Rome."),
    _asked("the days in a week", "How many days are there in a week?", "Seven."),
    _asked("the months in a year", "How many months are there in a year?", "Twelve."),
    _asked("the colour of grass", "What colour is grass?", "Green."),
    _asked("the colour of snow", "What colour is snow?", "White."),
    _asked("the number after nineteen", "Which number comes after nineteen?", "Twenty."),
    _asked("the legs of a spider", "How many legs does a spider have?", "Eight."),
)
FACTS: Final = (
    Fact("My dog is called Max.", "What is the name of my dog?", ("Your dog is called Max.",)),
    Fact("My sister is called Anna.", "What is the name of my sister?", ("Your sister is called Anna.",)),
    Fact("My keys are in the kitchen.", "Where are my keys?", ("They are in the kitchen.",)),
    Fact("I put my glasses on the shelf.", "Where are my glasses?", ("On the shelf.",)),
    Fact("The meeting is on Friday.", "When is the meeting?", ("On Friday.",)),
    Fact("The party is on Saturday.", "When is the party?", ("On Saturday.",)),
    Fact("My new car is red.", "What colour is my new car?", ("It is red.",)),
    Fact("My room number is thirty two.", "What is my room number?", ("It is thirty two.",)),
    Fact("My brother lives in London.", "In which city does my brother live?", ("In London.",)),
    Fact("My favourite fruit is apples.", "What is my favourite fruit?", ("Apples.",)),
    Fact("The shoes cost forty euros.", "How much did the shoes cost?", ("Forty euros.",)),
    Fact("My daughter is nine years old.", "How old is my daughter?", ("Nine years.",)),
)
SOUNDS: Final = {
    "dog": Sound("a dog", "dog", ("barking",)),
    "cat": Sound("a cat", "cat", ("meowing",)),
    "rooster": Sound("a rooster", "bird", ("a cock crowing", "a chicken")),
    "chirping_birds": Sound("a bird", "bird", ("chirping",)),
    "crying_baby": Sound("a crying baby", "baby", ("an infant", "crying")),
    "coughing": Sound("a cough", "throat", ("coughing",)),
    "sneezing": Sound("a sneeze", "throat", ("sneezing",)),
    "siren": Sound("a siren", "tone", ("an ambulance", "a police car", "a fire engine")),
    "alarm": Sound("an alarm", "tone", ("a smoke detector", "beeping", "a buzzer")),
    "phone_ring": Sound("a phone", "tone", ("a telephone", "ringing")),
    "glass_break": Sound("some breaking glass", "glass", ("shattering",)),
    "gunshot": Sound("a gunshot", "bang", ("gunfire", "shooting", "a shot")),
    "explosion": Sound("an explosion", "bang", ("a blast", "a boom")),
    "thunder": Sound("some thunder", "bang", ("a thunderstorm",)),
    "doorbell": Sound("a doorbell", "chime", ("a door bell", "a bell", "ding dong")),
    "church_bells": Sound("a church bell", "chime", ("bells",)),
    "helicopter": Sound("a helicopter", "rotor", ("a chopper",)),
    "airplane": Sound("an airplane", "rotor", ("an aircraft", "a plane")),
    "chainsaw": Sound("a chainsaw", "tool", ("a saw",)),
    "jackhammer": Sound("a jackhammer", "tool", ("a hammer drill",)),
    "rain": Sound("some rain", "water", ("rainfall",)),
    "water": Sound("some running water", "water", ("a tap",)),
    "sea_waves": Sound("some waves", "water", ("the sea", "the ocean")),
    "clock_tick": Sound("a ticking clock", "clock", ("tick tock",)),
    "footsteps": Sound("some footsteps", "steps", ("walking",)),
    "knock": Sound("a knock", "steps", ("knocking", "tapping")),
    "laugh": Sound("some laughter", "laugh", ("laughing", "giggling", "chuckling")),
    "snoring": Sound("some snoring", "snore", ("a snore",)),
    "car_horn": Sound("a car horn", "horn", ("honking",)),
    "horse": Sound("a horse", "horse", ("neighing", "clip clop")),
    "coins": Sound("some coins", "metal", ("coin dropping",)),
}
BEFORE: Final = "What was the sound before my question about {x}?"
FIRST: Final = "What was the first sound you heard?"
AGO: Final = {1: "What did you hear before my last question?"} | {
    n: f"What did you hear {word} questions ago?"
    for n, word in {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}
    .items()
}  # fmt: skip
DID_YOU: Final = "Did you hear {x}?"
BEFORE_SOUND: Final = "What did you hear before {x}?"


def sentences() -> Iterator[str]:
    """Every sentence that a stream of these benchmarks may hold, each once."""
    every = [q.text for q in QUESTIONS]
    every += [x for f in FACTS for x in (f.told, f.asked)]
    every += [BEFORE.format(x=q.topic) for q in QUESTIONS] + [FIRST, *AGO.values()]
    every += [DID_YOU.format(x=s.noun) for s in SOUNDS.values()]
    every += [BEFORE_SOUND.format(x=s.known) for s in SOUNDS.values()]
    yield from dict.fromkeys(every)


def question_about(label: str) -> str:
    """ "Did you hear a dog?" """
    return DID_YOU.format(x=SOUNDS[label].noun)


def question_before(label: str) -> str:
    """ "What did you hear before the dog?" """
    return BEFORE_SOUND.format(x=SOUNDS[label].known)
