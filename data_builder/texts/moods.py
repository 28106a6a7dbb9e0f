"""What people say in a feeling, and answers that take it up; and neutral words whose feeling only the voice tells."""

from __future__ import annotations

from typing import Final

from data_builder.sources import Rng, pick

FEELINGS: Final = ("happy", "sad", "angry", "afraid", "calm")


def _lines(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    rows = [[part.strip() for part in line.split("|")] for line in text.strip().splitlines()]
    return tuple((row[0], tuple(row[1:])) for row in rows)


TELLING: Final[dict[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "happy": _lines("""
I got the job, I really got it!|Congratulations! You have earned it.|That is great news. When do you start?
We are going to have a baby!|How wonderful! Congratulations to you both.|What lovely news. I am happy for you.
My team won the final tonight!|Well played! That calls for a party.|Fantastic! You must be proud of them.
I passed my driving test today!|Congratulations! Have a safe first drive.|Well done! All that practice was worth it.
She said yes, we are getting married!|Congratulations to you both! Tell me everything.|That is beautiful news. I wish \
you all the best.
The sun is out and I feel great!|Lovely! Enjoy it, perhaps with a walk.|Good to hear. Make the most of the day.
My sister is coming home for Christmas!|How nice! You will have a lot to talk about.|That is a lovely present. Shall \
we plan something?
I finished my first long run today!|Bravo! That takes real effort.|Well done! Your legs deserve a rest now.
The doctor says that I am healthy again!|What a relief! I am so glad for you.|That is the best news. Take good care \
of yourself.
My painting won the first prize!|Congratulations! I would love to hear about it.|How great! You can be proud of that.
We found our little dog again!|I am so glad! Give him a hug from me.|What a relief! He must be happy too.
Today is my birthday and everybody came!|Happy birthday! Have a wonderful party.|How lovely! Enjoy every minute with \
them.
My cake turned out so well!|That sounds delicious. Well done!|Great! Somebody will be happy to eat it.
"""),
    "sad": _lines("""
My dog died this morning.|I am so sorry. He was part of the family.|That is very sad. Do you want to tell me about him?
I did not get the job after all.|I am sorry. That is a real disappointment.|That hurts. It does not say what you are \
worth.
My best friend is moving far away.|That is hard. You will miss each other a lot.|I am sorry. Shall we think of a way \
to stay in touch?
I miss my mother every single day.|I am sorry. Would you like to tell me about her?|That is a deep loss. I am here to \
listen.
Nobody called me on my birthday.|I am sorry, that must feel lonely. Happy birthday from me.|That hurts. Shall we plan \
something nice for you?
We have broken up after six years.|I am sorry. Six years is a long time. Take it slowly.|That is painful. I am here \
if you want to talk.
I failed the test again.|I am sorry. You can try again, and I can help.|That is disappointing. One test does not \
decide everything.
I feel so alone in this town.|I am sorry that it is so lonely. Would you like to talk a little?|That is hard. Perhaps \
we can find a group nearby.
My grandfather is very ill.|I am sorry to hear that. I hope that he is not in pain.|That is a heavy worry. Can you \
visit him?
Our holiday was cancelled at the last minute.|What a pity. You had looked forward to it.|I am sorry. Maybe we can \
find another date.
I cannot stop thinking about the accident.|I am sorry. It is all right to talk about it.|That stays with you. Take \
your time, I am listening.
All my plants have died.|Oh no, I am sorry. You took such care of them.|What a pity. Shall we start again with one \
strong plant?
My son does not talk to me any more.|I am sorry, that must hurt a lot.|That is very hard. Do you want to tell me what \
happened?
"""),
    "angry": _lines("""
They lost my parcel again, I am furious!|I understand your anger. Shall we write a complaint?|That is really \
annoying. Let us find the tracking number.
The train was late again, for the third time!|No wonder that you are angry. Three times is too much.|That is \
frustrating. You may be able to get money back.
My brother broke my bike and said nothing!|I see why you are angry. He should have told you.|That was not fair. Do \
you want to cool down before you talk to him?
This computer has lost all my work!|How infuriating. Let us see if there is a copy.|I get why you are angry. Check \
the bin and the backups first.
The neighbours have been drilling since six!|That would annoy anybody. You could ask them to stop.|I understand. \
Shall I look up the quiet hours?
He lied to me, right to my face!|That makes you angry, and rightly so.|Being lied to hurts. What would you like to do?
Somebody scratched my new car!|I see why you are upset. Take a photo of it first.|That is maddening. Shall we note it \
for the insurance?
My boss blames me for his own mistake!|That is unfair. I understand your anger.|No wonder that you are angry. Write \
down what really happened.
They put me on hold for an hour!|An hour is far too long. I would be angry too.|That is really rude. Shall we send \
them a message instead?
The kids left the kitchen in a mess again!|That is annoying. A deep breath, then call them back.|I see that you are \
angry. They should clean it up.
I told you already, this is not what I ordered!|I am sorry, you have a right to be annoyed.|I understand. Let us get \
it sorted out.
Nobody ever listens to me in this house!|I hear you. That must be really frustrating.|I understand that you are \
angry. I am listening now.
They have raised the rent again!|That is upsetting. Shall we check if they may do that?|I understand your anger. We \
can look at the contract.
"""),
    "afraid": _lines("""
I think somebody is at the window.|Stay where you are and keep quiet. Shall I call for help?|I am with you. Lock the \
door and call somebody.
I heard steps downstairs and I am alone.|I understand that you are scared. Shall we call somebody?|Stay calm and lock \
your door. I am here.
I have to fly tomorrow and I am so scared.|Many people feel that way. Slow breathing helps.|I understand. Flying is \
very safe, and I can help you relax.
The storm is getting closer, I am frightened.|I am here. You are safest inside, away from the windows.|It sounds \
scary, but it will pass. Stay indoors.
I am afraid of the operation on Monday.|That is only natural. You can ask the doctor anything.|I understand that you \
are afraid. Do you want to talk about it?
The lights went out and it is so dark.|Stay calm, I am here. Is there a torch near you?|It is all right. Let us find \
a light together.
I had a terrible dream and I cannot sleep.|It was only a dream. You are safe now.|That sounds scary. Take a slow \
breath with me.
There is a huge spider in my bed!|Step back, it is more scared than you. A glass and some paper will do.|Stay calm. \
Shall we find somebody to take it outside?
My heart is beating so fast, I am scared.|Sit down and breathe slowly. Shall I call somebody?|I am here. If you feel \
pain in your chest, tell me at once.
What if I fail and lose everything?|That is a frightening thought. Let us look at it step by step.|I hear how worried \
you are. You are not alone with it.
My child has not come home yet.|I understand your fear. Let us call the friends first.|That is worrying. When did you \
expect to see your child?
The car nearly hit me just now.|That was a shock. Sit down for a moment. Are you hurt?|How frightening. Take a \
breath, you are safe now.
I am scared to go into the cellar.|I am with you. Switch the light on first.|That is all right. Maybe somebody can go \
with you.
"""),
    "calm": _lines("""
I am sitting in the garden, it is so quiet.|That sounds peaceful. Enjoy the quiet.|How nice. Stay there as long as \
you like.
What a peaceful evening this is.|It really is. Enjoy it.|Yes, a quiet evening does one good.
I have all the time in the world today.|Lovely. Take it slowly.|That is a rare gift. Do what you enjoy.
I think I will read for a while.|A good idea. Enjoy your book.|Have a pleasant time with it.
The tea is warm and the house is still.|That sounds cosy. Enjoy your tea.|A good moment to rest. I will be quiet.
I slept well and I feel rested.|Good to hear. Have an easy start.|How nice. A good night does wonders.
I let it go, it does not matter any more.|That sounds wise. I am glad that you are at ease.|Good. It is nice to feel \
so light.
I am watching the clouds go by.|How relaxing. Have you seen a nice shape?|A lovely way to spend time.
The yoga class was good for me.|I am glad. Keep that feeling for a while.|Nice. You sound relaxed.
We walked by the river for an hour.|That sounds lovely and slow.|How pleasant. Water is calming.
There is no hurry, we can do it tomorrow.|Agreed. Tomorrow is early enough.|All right. There is no need to rush.
I just listen to the rain tonight.|A beautiful sound. Enjoy it.|How cosy. I will keep quiet too.
Everything is in its place now.|That is a good feeling. Well done.|How satisfying. Now you can rest.
"""),
}
"""Feeling -> (words that carry it, answers to just these words)."""

NEUTRAL: Final = _lines("""
I just came home.|Welcome home.|You are back.
I talked to my father today.|You talked to your father.|So you have spoken with him.
The letter has arrived.|The letter is there.|So it has come.
It is Monday again.|Monday it is.|A new week has begun.
I have to go to work now.|Off to work, then.|So it is time for work.
They called me back.|So they called.|You have heard from them.
I saw her at the station.|So you met her there.|You saw her.
We are moving house in spring.|A new home in spring.|So you are moving.
The meeting is over.|So the meeting is done.|It is over, then.
I have read his message.|So you have read it.|You have seen his message.
My brother is here.|Your brother has come.|So he is with you.
I have made up my mind.|You have decided.|So it is settled.
The test was this morning.|So the test is behind you.|You have had the test.
That was the last one.|So that was the last.|The last one, then.
They want to see me tomorrow.|So you see them tomorrow.|Tomorrow, then.
I know what happened.|So you know it now.|You have found out.
It is snowing outside.|Snow outside.|So it has started to snow.
She gave it back to me.|So you have it again.|She gave it back.
I am going to see the doctor.|You are seeing the doctor.|A visit to the doctor, then.
It is all over now.|So it is over.|It has come to an end.
""")
"""Words that tell no feeling, and the beginnings of an answer to them."""

TAILS: Final[dict[str, tuple[str, ...]]] = {
    "happy": (
        "You sound delighted, tell me more!", "I can hear that you are happy about it.",
        "Your voice is beaming. How nice!",
        "You sound so cheerful, that is lovely.", "I am glad that you are in such a good mood.",
        "That seems to make you very happy.",
    ),
    "sad": (
        "You sound sad. Do you want to talk?", "I hear that it weighs on you. I am sorry.",
        "You sound down. I am here for you.",
        "That seems to make you sad. I am listening.", "Your voice is heavy. What happened?",
        "I am sorry that you feel low.",
    ),
    "angry": (
        "You sound angry. What went wrong?", "I can hear that you are upset about it.",
        "That seems to have made you angry.",
        "I hear your anger. Do you want to tell me why?", "You sound annoyed. Let us see what can be done.",
        "Take a breath. I am listening.",
    ),
    "afraid": (
        "You sound frightened. Are you safe?", "I hear that you are worried. I am here.",
        "You sound nervous. Can I help?",
        "That seems to scare you. Tell me what it is.", "Your voice is shaking. Shall we call somebody?",
        "You sound afraid. You are not alone.",
    ),
    "calm": (
        "You sound relaxed. How nice.", "You seem to be at ease with it.", "Good. There is no hurry.",
        "You sound calm. Enjoy the moment.", "All is well, it seems.", "How peaceful you sound.",
    ),
}  # fmt: skip
"""What an answer to neutral words adds for the feeling in the voice."""


def voiced(rng: Rng, mood: str) -> str:
    """An answer to the feeling in a voice, whatever the words are."""
    return str(pick(rng, TAILS[mood]))


def feeling(rng: Rng, neutral: float = 0.3) -> tuple[str, str, str]:
    """(words, feeling, answer). A share `neutral` of the words tells nothing: there the voice decides the answer."""
    mood = str(pick(rng, FEELINGS))
    if rng.random() < neutral:
        words, starts = pick(rng, NEUTRAL)
        return str(words), mood, f"{pick(rng, starts)} {pick(rng, TAILS[mood])}"
    words, answers = pick(rng, TELLING[mood])
    return str(words), mood, str(pick(rng, answers))
