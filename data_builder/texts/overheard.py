"""Talk that is near but not for the system: questions that somebody else answers, phone calls, people alone."""

from __future__ import annotations

from typing import Final

from data_builder.sources import Rng, pick
from data_builder.texts.puzzles import puzzle
from data_builder.texts.rounds import lower_first

NAMES: Final = tuple(
    [
        "Anna",
        "Tom",
        "Peter",
        "Lisa",
        "Ben",
        "Emma",
        "Paul",
        "Kate",
        "Jack",
        "Sarah",
        "Mum",
        "Dad",
        "Grandma",
        "Grandpa",
        "Laura",
        "Simon",
        "Lucy",
        "Max",
        "Susan",
        "Oliver",
    ]
)


def _turns(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(part.strip() for part in line.split("|")) for line in text.strip().splitlines())


DIALOGUES: Final = _turns("""
Do you want tea or coffee?|Tea, please.
Where did you put my keys?|They are on the kitchen table.
What time is the bus?|At half past seven, I think.
Did you feed the cat?|Yes, an hour ago.
Can you pass me the salt?|Sure, here you are.
How was school today?|It was all right, we had a test.
What do you want for dinner?|I would love some pasta.
Are you coming with us tonight?|No, I am too tired.
Who was that on the phone?|It was my sister.
Have you seen my glasses?|You are wearing them.
What is the dog doing there?|He is digging in the garden.
Is the oven still on?|No, I turned it off.
When does the film begin?|In about ten minutes.
How much did you pay for it?|Only twelve euros.
Why are you so late?|The train did not come.
Could you help me with this box?|One moment, I am coming.
What is your new teacher like?|She is very kind.
Do we have any milk left?|Just a little.
Can you hear that noise too?|It is only the wind.
What did the doctor say?|That I have to rest a lot.
Will it rain tomorrow?|They said it stays dry.
What is seven times eight?|Fifty six, I learned that yesterday.
Do you remember our first flat?|How could I forget it.
Which colour do you like better?|I would take the blue one.
Can you tell me a story?|Not now, it is late.
What are you listening to?|It is an old song.
Did you hear the news?|Yes, it is terrible.
Can you turn that down a little?|Sorry, is it better now?
How do you spell your name?|With two letters L.
Shall we go for a walk?|Yes, let us take the dog.
What was the name of that hotel?|I think it was the Star.
Tell me when the water boils.|Yes, I am watching the pot.
Remind me to call the bank.|I will, after lunch.
Wake me in ten minutes.|All right, sleep a little.
What is the answer to number four?|I do not know, ask your brother.
""")
"""A question of one person and the answer of another."""

PHONE: Final = _turns("""
Hello, yes, this is me.|No, I have not heard from her.|Can you call me back tomorrow?
Hi, how are you doing?|Really, when did that happen?|Give him my best wishes.
Yes, hello, I am calling about the flat.|How many rooms does it have?|And when could I see it?
Good morning, I would like to make an appointment.|Do you have anything on Friday?|Great, thank you, goodbye.
Hey, it is me again.|What time does your train arrive?|Fine, I will pick you up.
Hello, can you hear me now?|The line is really bad.|I will try again later.
Yes, I ordered it two weeks ago.|What do you mean, it is lost?|Then please send me a new one.
Hi mum, just a quick question.|How long do the potatoes need?|Thanks, see you on Sunday.
Hello, is the doctor in today?|What should I do until then?|All right, I will wait.
No, he is not at home.|Should I tell him something?|Sure, he will call you tonight.
""")
"""One side of a telephone call."""

ALONE: Final = tuple(
    line.strip()
    for line in """
Now where did I put that thing?
Let me see, two eggs and some flour.
What was I going to do here?
Oh no, not again.
Come on, you can do this.
So, first the left one, then the right one.
Why does this never work for me?
One, two, three, four, that should be enough.
I should really tidy up this drawer.
Hm, what is that doing here?
Ah, there it is.
How on earth does this open?
Where is the other sock?
Okay, what do I still need?
I must not forget the milk.
Oh dear, what have I done now?
Well, that did not go as planned.
What a mess this is.
""".strip().splitlines()
)
READ_ALOUD: Final = tuple(
    line.strip()
    for line in """
The old man walked slowly down to the river.
It was a dark night, and nobody saw the boat.
And the little bear asked, who has slept in my bed?
Chapter four, the house behind the hill.
She opened the letter and could not believe her eyes.
The king had three sons, and the youngest was called John.
What do you want here, asked the old woman.
Then they lived happily until the end of their days.
Early in the morning the children ran into the garden.
Why are your ears so big, asked the girl.
The wind blew harder, and the sea began to rise.
Two friends once went through a deep forest.
Stir the butter and the sugar until they are smooth.
The museum is open every day except on Monday.
""".strip().splitlines()
)
TELEVISION: Final = tuple(
    line.strip()
    for line in """
And now, for ten points, what is the capital of Peru?
Good evening, here is the news at eight.
Tell us, how did you feel when you won?
What do you think about the match tonight?
Where were you on the night of the crime?
Stay with us, we are back in a moment.
Can you guess what is behind this door?
Why pay more, come to our store today.
How much would you pay for this beautiful lamp?
Doctor, will he live?
Tomorrow it will be sunny in the south.
Can this small team win against the champion?
Do you have trouble sleeping at night?
Welcome to the show, tell us your name.
And the answer is, number three.
What happens next will surprise you all.
""".strip().splitlines()
)


def to_person(rng: Rng, words: str, name: str = "") -> str:
    """`words` said to somebody by name, so that they are clearly not for the system."""
    name = name or str(pick(rng, NAMES))
    return f"{name}, {lower_first(words)}" if rng.random() < 0.7 else f"{words[:-1]}, {name}{words[-1]}"


def exchange(rng: Rng) -> tuple[str, str]:
    """A question to a person by name, and the answer that the person gives."""
    if rng.random() < 0.35:
        made = puzzle(rng)
        return to_person(rng, made.question), made.answer
    asked, answer = pick(rng, DIALOGUES)
    return (to_person(rng, asked) if rng.random() < 0.6 else str(asked)), str(answer)
