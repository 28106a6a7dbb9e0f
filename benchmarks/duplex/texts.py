"""What is said in the composed set. Written for it: of the corpus's texts (data_builder/texts) only the backchannels,
which are what people say."""

from __future__ import annotations

from typing import Final

QUESTIONS: Final[tuple[tuple[str, str], ...]] = (
    ("Which season comes before summer?", "Spring comes before summer."),
    ("How many wheels does a tricycle have?", "A tricycle has three wheels."),
    ("What do you call frozen rain?", "Frozen rain is called hail."),
    ("Which fruit is used to make wine?", "Wine is made from grapes."),
    ("What do we use to cut paper?", "Paper is cut with scissors."),
    ("Which month follows October?", "November follows October."),
    ("What is the name of our galaxy?", "Our galaxy is the Milky Way."),
    ("How many minutes are in half an hour?", "Half an hour has thirty minutes."),
    ("Which bird is known for its big colourful tail?", "The peacock has a big colourful tail."),
    ("What do you wear on your feet inside your shoes?", "You wear socks inside your shoes."),
    ("Which country is famous for tulips and windmills?", "The Netherlands are famous for them."),
    ("What is bread mostly made of?", "Bread is mostly made of flour."),
    ("Which instrument has black and white keys?", "The piano has black and white keys."),
    ("How many eggs are in a dozen?", "A dozen are twelve eggs."),
    ("What do you call a doctor for animals?", "A doctor for animals is a vet."),
    ("Which sense do we use our nose for?", "We use our nose to smell."),
    ("What is the main language of Brazil?", "The main language of Brazil is Portuguese."),
    ("Which insect spins a web?", "It is the spider that spins a web."),
    ("What do you need to open a locked door?", "You need a key to open a locked door."),
    ("Which drink is made from roasted beans?", "Coffee is made from roasted beans."),
    ("What falls from the sky in winter?", "Snow falls from the sky in winter."),
    ("How many players are in a football team?", "A football team has eleven players."),
    ("What do you call the home of a bee?", "The home of a bee is a hive."),
    ("Which tool do you use to hit a nail?", "You hit a nail with a hammer."),
    ("What grows on an oak tree?", "Acorns grow on an oak tree."),
    ("Which meal do we eat in the morning?", "In the morning we eat breakfast."),
    ("How many corners does a triangle have?", "A triangle has three corners."),
    ("What do we call the outer layer of the earth?", "The outer layer is called the crust."),
    ("Which animal builds dams in rivers?", "The beaver builds dams in rivers."),
    ("What do you blow out on a birthday cake?", "You blow out the candles."),
)
OPENINGS: Final = ("Could you tell me,", "I would like to know,", "Let me ask you,", "Okay, so,", "One more thing,")
BREAK_INS: Final = ("Wait,", "Hold on,", "Sorry,", "Stop,", "No,")
BACKCHANNELS: Final = ("Mm-hm.", "Yeah.", "Uh huh.", "Right.", "Okay.", "I see.", "Oh, nice.", "Sure.")
ASIDES: Final[tuple[tuple[str, str], ...]] = (
    ("Maria, did you bring the keys from the car?", "Yes, they are in the blue bowl."),
    ("Tom, your shoes are still in the garden.", "I will get them in a minute."),
    ("Grandpa, do you want more soup?", "No thanks, I have had plenty."),
    ("Anna, who is picking up the children today?", "I am, at half past four."),
    ("Peter, the neighbours called about the fence.", "I will talk to them tomorrow."),
    ("Lisa, have you seen my glasses?", "They are on top of your head."),
    ("Ben, can you hand me that towel?", "Here you go, it is a bit wet."),
    ("Mum, where did you put the scissors?", "In the second drawer, as always."),
)
GIVEN: Final = (
    "Here is the plan for this afternoon, and first of all the plumber comes at two to look at the old boiler. "
    "After that you wanted to bake the apple cake, and the oven needs about forty minutes for it. "
    "In the evening the guests arrive, so the long table in the dining room should be ready by seven.",
    "This is the recipe that you asked for, and it begins with six potatoes that you peel and boil until soft. "
    "Then mash them with butter, warm milk and a little nutmeg, and keep the pot covered on the smallest flame. "
    "At the end fry two onions until they are golden brown and put them on top before you serve it.",
    "Here is the report about your garden, where the tomatoes on the south wall were watered for ten minutes. "
    "The soil under the roses is still rather dry, and the lavender next to the gate has started to bloom. "
    "Rain is expected on Thursday night, so the lawn can wait until the end of the week.",
)
"""Replies that the system is given to say, so that every system has the floor; about 12 to 15 s each. The first
sentence takes some 5 s, so that the overlap begins within it."""
STOCK: Final = "That is a good point. I have thought about it, and this is what I would suggest to do next."
"""What a system without a language model answers."""


def lines() -> list[str]:
    """All that a user says, for `soundflow data say` and other voices."""
    asked = [q for q, _ in QUESTIONS]
    paused = [paused_line(k) for k in range(len(QUESTIONS))]
    broken = [break_in(k) for k in range(len(QUESTIONS))]
    return [*asked, *paused, *broken, *BACKCHANNELS, *(line for pair in ASIDES for line in pair)]


def paused_line(k: int) -> str:
    """Question k behind an opening; the comma is where a speaker may stop to think."""
    return f"{OPENINGS[k % len(OPENINGS)]} {_lower(QUESTIONS[k][0])}"


def break_in(k: int) -> str:
    """Question k as it interrupts."""
    return f"{BREAK_INS[k % len(BREAK_INS)]} {_lower(QUESTIONS[k][0])}"


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]
