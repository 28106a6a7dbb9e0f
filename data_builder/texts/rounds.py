"""What a conversation is made of besides questions: remarks, long requests, ways to break in, signals of listening."""

from __future__ import annotations

from typing import Final

from data_builder.sources import Rng, pick
from data_builder.texts.numbers import number
from data_builder.texts.puzzles import DAYS, MONTHS

CHAT_INSTRUCTIONS: Final = (
    "", "", "", "You are a friendly voice assistant.", "Answer what you are asked.",
    "Have a friendly conversation with me.",
    "Be helpful and brief.", "Answer my questions in a sentence or two.", "Talk to me like a good friend.",
    "Keep your answers short.", "I will talk to you now and then.", "Help me with whatever I ask.",
    "You are the voice of our home.", "Answer only when I talk to you.",
)  # fmt: skip
HISTORY_INSTRUCTIONS: Final = (  # never none: only somebody who asked for it hears "Noted."
    "Remember what I tell you.", "Keep what I say in mind for later.", "Take note of what you are told.",
    "I will tell you things and ask for them later.", "Listen, confirm briefly, and remember.", "Be my memory.",
    "Pay attention, there will be questions later.", "Keep track of our conversation.",
)  # fmt: skip
EMOTION_INSTRUCTIONS: Final = (  # never none: a mood is nobody's business without one
    "Be a kind listener.", "Answer with feeling.", "Pay attention to how I sound.",
    "Take my mood into account when you answer.", "Be warm and understanding.", "Hear how I feel and answer to that.",
    "Be a good friend to me.", "Listen to my voice as well as to my words.",
)  # fmt: skip


def _rows(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    rows = [[part.strip() for part in line.split("|")] for line in text.strip().splitlines()]
    return tuple((row[0], tuple(row[1:])) for row in rows)


REMARKS: Final = _rows("""
Good morning.|Good morning! Did you sleep well?|Good morning! I hope your day starts well.|Good morning to you.
Good evening.|Good evening! How was your day?|Good evening to you.|Good evening, nice to hear you.
Good night, sleep well.|Good night! Rest well.|Sleep well, I will keep an ear on the house.|Good night to you.
Hello, how are you?|I am fine, thank you. And you?|Very well, thanks for asking.|All is well. How are you?
Thank you for your help.|You are welcome.|Gladly, any time.|My pleasure.
That was a good answer.|Thank you, I am glad.|Nice of you to say so.|Glad that it helped.
I am bored.|Shall I tell you a fun fact?|How about a short riddle?|Perhaps some music or a walk would help.
I am so tired today.|Then be kind to yourself and rest early.|Maybe a short nap would help.|I see. A glass of water \
and some air may help.
I am hungry.|How about some fruit or a sandwich?|Then it is time for something to eat.|A bowl of soup is quickly made.
I am going for a walk now.|Have a nice walk.|Enjoy the fresh air.|Have fun, and take your keys.
It is really cold today.|Then dress warmly.|A hot tea would be right for this.|Keep a warm jacket at hand.
It is so hot in here.|You could open a window.|Drink enough water today.|Closing the curtains may help.
I do not know what to cook.|How about pasta with vegetables?|An omelette is quick and good.|Perhaps a soup with fresh \
bread?
I have a headache.|I am sorry. Drink some water and rest your eyes.|That is not nice. A dark room may help.|I hope it \
is better soon.
I think I am catching a cold.|Drink something warm and rest.|I hope you feel better soon.|Then sleep a lot and stay \
warm.
I start a new job tomorrow.|Congratulations, I wish you a good start.|How exciting! Sleep well tonight.|Good luck for \
your first day.
I am learning to play the piano.|How nice. A little practice every day helps most.|Great! Which piece do you \
play?|That takes patience. Have fun.
I want to read more books.|A good plan. Ten minutes before bed is a start.|How about a book at your bedside?|Nice \
idea. Which kind do you like?
My plants look sad.|Maybe they need water or more light.|Check if the soil is dry.|Perhaps they stand too dark.
Guests are coming tonight.|How nice! Do you need an idea for dinner?|Then I wish you a lovely evening.|Shall we make \
a list of what you need?
I cannot decide what to wear.|Take what you feel good in.|Something warm and comfortable is never wrong.|Blue suits \
almost every day.
The children are asleep at last.|Then enjoy the quiet.|Well done. Time for yourself now.|I will be quiet, too.
I have cleaned the whole house.|Well done! Now take a break.|That is a lot of work. Bravo.|You can be proud of that.
I lost my umbrella again.|Oh no. Maybe you left it on the bus.|That happens. Where did you have it last?|Try to think \
of the last rainy day.
We are going on holiday soon.|How nice! Where are you going?|Have a good time there.|Shall we make a list of things \
to pack?
I am back.|Welcome back.|Nice to hear you again.|Hello again. How was it?
You are really clever.|Thank you, how kind.|I do my best.|Thanks, I learn from your questions.
I need a break.|Then take one, you have earned it.|Stand up, stretch and breathe.|A cup of tea might be just right.
Wish me luck for today.|Good luck! You will do well.|I wish you all the luck.|I keep my fingers crossed for you.
This is the best coffee ever.|Enjoy every sip.|That sounds like a good start.|How nice. Savour it.
""")
"""Remarks to the system, each with three answers."""

LONG: Final = _rows("""
Tell me a story about a fox.|Once upon a time a young fox lived at the edge of a dark forest. Every evening he \
climbed the hill and waited for the moon, because he believed it was a cake.
Tell me a story about a ship.|A small ship once left the harbour in thick fog. Its captain was an old woman who knew \
every rock by its sound, and so she sang to the sea all night long.
Tell me how to bake bread.|Mix flour, water, yeast and a little salt. Knead it for ten minutes, let it rise for an \
hour under a cloth, shape it, let it rise again, and bake it until it sounds hollow.
Tell me how to make pancakes.|Take two eggs, a cup of flour, a cup of milk and some salt. Stir it well, let it rest \
for a while, and fry thin cakes in a hot pan with butter.
Explain how a rainbow comes about.|Sunlight looks white, but it is made of many colours. When it enters a drop of \
rain it is bent and split, and each colour leaves the drop at its own angle.
Explain how a plane can fly.|The wings push air down as the plane moves forward, and the air pushes the wings up in \
return. The engines keep it fast enough, and the tail keeps it steady.
Why is the sky blue, please explain it.|Sunlight is a mix of colours. The air scatters blue light much more than red \
light, so from every side of the sky blue light reaches our eyes during the day.
Tell me something about the moon.|The moon goes around the earth in about a month. It always shows us the same side, \
it has no air, and it pulls on the sea so that the tides rise and fall.
Tell me something about bees.|Bees live in large families with one queen. They dance to tell each other where flowers \
are, they keep their hive warm in winter, and they make honey out of nectar.
Tell me something about whales.|Whales are mammals, so they breathe air. Some sing songs that travel very far through \
the sea, and the largest of them eats tiny animals that it filters out of the water.
How do I plant a tree?|Dig a hole twice as wide as the roots, loosen the soil, and set the tree in straight. Fill the \
hole, press the soil gently, water it well, and tie it to a post.
How do I write a good letter?|Say first why you write, then tell what matters in short sentences. Be friendly and \
clear, end with what you hope for, and read it aloud once before you send it.
How can I sleep better at night?|Go to bed at the same time every day, keep the room dark and cool, leave the phone \
outside, and avoid coffee in the afternoon. A short walk in the evening helps as well.
How do I clean the oven?|Mix baking soda with a little water and spread it inside. Leave it overnight, wipe it off \
with a wet cloth, and use some vinegar for the rest. Rinse it well at the end.
What should I see in Paris?|Start at the river and walk to the old cathedral. Then see the big museum, climb the \
tower in the evening, sit in a small cafe, and take a boat when it gets dark.
What should I pack for a week at the sea?|Pack light clothes, a warm jacket, a hat, sun cream, a towel, good sandals, \
a book, your papers, a bottle for water, and something against mosquitoes.
Give me tips against stress.|Breathe out slowly a few times, stand up and stretch, and write down what worries you. \
Do one thing at a time, take a walk every day, and talk to somebody you trust.
Give me tips for the garden in spring.|Loosen the soil, pull out the weeds, and add some compost. Cut back the roses, \
sow salad and peas, water in the morning, and keep an eye on late frost.
Describe a day at the beach.|The sand is warm under your feet and small waves roll in. Children build a castle, gulls \
cry above the water, and somebody sells ice cream until the sun goes down.
Describe your favourite room.|I imagine a bright kitchen with a long wooden table. There is bread on it, a cat sleeps \
at the window, somebody hums at the stove, and the rain taps at the glass.
Explain the rules of chess to me.|Two players move in turn on a board of sixty four squares. Each piece has its own \
way to move, and you win when the other king cannot escape any more.
Explain what a leap year is.|The earth needs a little more than three hundred and sixty five days to go around the \
sun. So every fourth year gets one more day, in order that the seasons stay in place.
What is the weather usually like in autumn?|In autumn the days get shorter and cooler. There is often fog in the \
morning, wind that takes the leaves, rain in between, and now and then a golden and quiet afternoon.
Read me a poem about rain.|Rain on the roof and rain on the tree, rain on the river and rain on the sea, softly it \
falls on the sleeping town, all of the night it is coming down.
Tell me a long joke.|A man walks into a bakery and asks for a cake in the shape of a boat. The baker works all night. \
The man looks at it and says, lovely, I will eat it here.
What can I do on a rainy day?|You could bake a cake, sort old photos, play a board game, call a friend, read a \
chapter, build a tent out of blankets, or simply sit at the window with tea.
""")
"""Requests that take a long answer (at least twenty words), which the user may cut short."""

BREAK_IN: Final = (
    "No wait, {q}", "Hold on, {q}", "Stop, {q}", "Sorry, {q}", "Actually, {q}", "Wait a moment, {q}",
    "No, something else, {q}",
    "Never mind that, {q}", "That is enough, {q}", "One moment, {q}", "Let me stop you there, {q}", "Okay okay, {q}",
)  # fmt: skip
STOP: Final = (
    "Stop, please.", "Never mind.", "That is enough.", "Please be quiet.", "You can stop now.", "Enough, thank you.",
    "Okay, stop there.", "No, forget it.", "Stop talking, please.", "All right, that will do.", "Please stop.",
    "Quiet, please.",
)  # fmt: skip
STOPPED: Final = ("Okay.", "Sure.", "All right.", "Of course.", "Fine.", "Stopped.")
BACKCHANNELS: Final = (
    "Mhm.", "Right.", "Okay.", "I see.", "Yes.", "Uh huh.", "Really?", "Oh, nice.", "Aha.", "Sure.", "Interesting.",
    "Wow.",
)  # fmt: skip
PLAIN_BACKCHANNELS: Final = ("I see.", "Oh, I see.", "Yes, go on.", "All right.", "Very interesting.", "That is nice.")
OPENINGS: Final = (
    "I have a question, {q}", "Let me ask you something, {q}", "Tell me, {q}", "I was wondering, {q}",
    "So, my question is, {q}",
    "Here is one for you, {q}", "Well, let me think, {q}", "I would like to know, {q}", "Maybe you know this, {q}",
    "Help me with this, {q}", "Listen, I need to know, {q}", "Right, so, {q}",
)  # fmt: skip


_CAPITAL: Final = {
    *DAYS, *MONTHS, "I", "Albert", "Alexander", "Big", "Brazil", "Christmas", "Germany", "Isaac", "Italy", "Japan",
    "Kenya", "Leonardo", "Ludwig", "Mars", "Mercury", "Neil", "Saturn", "William", "Anna",
}  # fmt: skip


def lower_first(text: str) -> str:
    """`text` to stand after a comma: its first letter small, unless its first word is a name or "I"."""
    first = text.split(maxsplit=1)[0].rstrip(",.")
    return text if first in _CAPITAL else text[0].lower() + text[1:]


def long_request(rng: Rng) -> tuple[str, str]:
    """A request and its answer of at least fifteen words."""
    draw = rng.random()
    if draw < 0.7:
        asked, answers = pick(rng, LONG)
        return str(asked), str(pick(rng, answers))
    if draw < 0.85:
        start, step = int(rng.integers(1, 20)), int(rng.integers(1, 4))
        row = [number(start + k * step) for k in range(int(rng.integers(14, 18)))]
        steps = f" in steps of {number(step)}" if step > 1 else ""
        return f"Count from {row[0]} to {row[-1]}{steps}.", ", ".join(row).capitalize() + "."
    if draw < 0.95:
        first = int(rng.integers(30, 90))
        row = [number(first - k) for k in range(int(rng.integers(14, 18)))]
        return f"Count backwards from {row[0]}.", ", ".join(row).capitalize() + "."
    start = int(rng.integers(12))
    names = [MONTHS[(start + k) % 12] for k in range(12)]
    more = ", ".join(names) + ", and then it begins again with " + names[0] + "."
    return (
        f"Name the months, starting with {names[0]}.",
        more if rng.random() < 0.8 else more + f" My favourite is {names[1]}.",
    )
