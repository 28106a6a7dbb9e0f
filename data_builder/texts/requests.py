"""What people ask to be told of, how they change their mind, how they ask for a time, and what is said to each."""

from __future__ import annotations

from typing import Final

ASK_SPOKEN: Final = (
    "Tell me when you hear {x}.", "Let me know when you hear {x}.", "Please listen for {x}.", "Can you listen for {x}?",
    "Say something when you hear {x}.", "I am waiting for {x}, tell me when that comes.", "Watch out for {x}, please.",
    "If you hear {x}, let me know.", "Keep an ear out for {x}.", "Warn me when you hear {x}.",
)  # fmt: skip
ACKS: Final = (
    "Okay, I will listen for {x}.", "Sure, I will tell you.", "All right, I am listening for {x}.",
    "I will let you know.",
    "Okay.", "Yes, I will watch out for {x}.", "Got it.", "Of course, I will tell you.",
)  # fmt: skip
KEYWORDS: Final = (
    'Tell me when somebody says "{x}".', 'Let me know when you hear the word "{x}".', 'Listen for the word "{x}".',
    'If somebody says "{x}", tell me.', 'I am waiting for the word "{x}".', 'Watch out for the word "{x}".',
    'Say something when the word "{x}" comes.', 'Report every "{x}" that is said.',
)  # fmt: skip
KEYWORD_FOUND: Final = (
    'Somebody said "{x}".', 'I heard the word "{x}".', 'There it is: "{x}".',
    'That was "{x}".', 'The word "{x}" was said.',
    'Now I heard "{x}".',
)  # fmt: skip
CHANGES: Final = (
    "No, listen for {x} instead.", "Listen for {x} instead, please.", "I changed my mind, tell me about {x}.",
    "Forget that, watch out for {x} now.", "Not that, I am waiting for {x} now.", "Make that {x}, please.",
    "Actually, tell me when you hear {x}.", "Now listen for {x} and nothing else.", "Sorry, I meant {x}.",
    "Switch to {x}, please.",
)  # fmt: skip
CHANGE_ACKS: Final = (
    "Okay, {x} instead.", "All right, I am listening for {x} now.", "Changed, I will tell you about {x}.",
    "Sure, I will listen for {x} instead.",
    "Okay, I will listen for {x} only.", "Got it, {x}.",
)  # fmt: skip
CANCELS: Final = (
    "Stop listening for {x}.", "You can stop listening now.", "Forget about {x}, please.", "Never mind {x}.",
    "I do not need that any more.", "You do not have to tell me any more.", "Cancel that, please.",
    "No more messages about {x}, please.", "Stop telling me about {x}.", "That is enough, stop listening for that.",
)  # fmt: skip
CANCEL_ACKS: Final = (
    "Okay, I stop.", "All right, cancelled.", "Sure, no more messages.", "I will not listen for it any more.",
    "Cancelled.",
    "Okay, I leave it.",
)  # fmt: skip
MUTED: Final = (
    "Do not tell me about {x} any more.", "Stop telling me about {x}.", "I do not want to hear about {x}.",
    "Ignore {x} from now on.", "No more messages about {x}.", "Stay quiet when you hear {x}.",
    "Forget about {x}, I do not need that.", "You can ignore {x}.", "Leave out {x}.",
)  # fmt: skip
AMONG_PEOPLE: Final = (
    "Tell me when the bus comes.", "Listen for the doorbell, will you?", "Let me know when the film begins.",
    "Tell me when dinner is ready.", "Watch out for the dog.", "Call me when the taxi is here.",
    "Tell me when she comes home.", "Wake me when the baby cries.", "Remind me when it is time to go.",
    "Keep an ear out for the phone.",
)  # fmt: skip
MINDS_CHANGED: Final = (
    "No, forget it.", "Never mind, I will do it.", "Oh, tell Emma instead.", "Not now, later.",
    "No, wait for the next one.",
    "Stop, that was a joke.", "You do not have to, thanks.", "No, I will listen myself.", "Leave it, it is too late.",
    "Actually, let us go together.",
)  # fmt: skip
TASKS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = tuple(
    (row[0].strip(), tuple(x.strip() for x in row[1:]))
    for row in (
        line.split("|")
        for line in """
check the oven|Please check the oven.|It is time to check the oven.
turn off the stove|Please turn off the stove.|Time to turn off the stove.
call my mother|Please call your mother.|It is time to call your mother.
take the tea out|Your tea is ready, take it out.|Please take the tea out.
stir the soup|Please stir the soup.|It is time to stir the soup.
turn the pancake|Please turn the pancake.|Time to turn the pancake.
take my pill|Please take your pill.|It is time for your pill.
feed the cat|Please feed the cat.|It is time to feed the cat.
water the plants|Please water the plants.|Time to water the plants.
close the window|Please close the window.|It is time to close the window.
stand up|Time to stand up.|Please stand up now.
breathe out|Now breathe out.|It is time to breathe out.
open the door|Please open the door.|It is time to open the door.
drink some water|Please drink some water.|Time for a glass of water.
move the car|Please move the car.|It is time to move the car.
look at the cake|Please look at the cake.|Time to look at the cake.
change legs|Change legs now.|It is time to change legs.
let the dog in|Please let the dog in.|Time to let the dog in.
fetch the laundry|Please fetch the laundry.|It is time to fetch the laundry.
turn the page|Please turn the page.|Time to turn the page.
lock the door|Please lock the door.|It is time to lock the door.
start the race|Start the race now.|Ready, go, the race starts.
say hello to Anna|Please say hello to Anna.|Time to say hello to Anna.
take a break|Time for a break.|Please take a break now.
""".strip().splitlines()
    )
)
"""What one may want to be reminded of, and two reminders."""

REMIND: Final = (
    "Remind me in {n} seconds to {t}.", "In {n} seconds, remind me to {t}.", "Please remind me to {t} in {n} seconds.",
    "Tell me in {n} seconds to {t}.", "Can you remind me to {t} in {n} seconds?",
    "I have to {t} in {n} seconds, tell me.",
    "Wait {n} seconds, then tell me to {t}.", "{N} seconds from now, remind me to {t}.",
)  # fmt: skip
REMIND_ACKS: Final = (
    "Okay, in {n} seconds.", "I will remind you.", "Sure, {n} seconds.", "All right.", "Okay, I will tell you.",
    "Got it, {n} seconds from now.",
)  # fmt: skip
TIMER: Final = (
    "Set a timer for {n} seconds.", "Start a timer of {n} seconds.", "Tell me when {n} seconds are over.",
    "Count {n} seconds for me.",
    "Let me know in {n} seconds.", "Give me {n} seconds, then tell me.", "Time {n} seconds for me, please.",
    "Say something in {n} seconds.",
)  # fmt: skip
TIMER_ACKS: Final = (
    "Okay, {n} seconds.",
    "The timer is running.",
    "Starting now.",
    "Sure, {n} seconds.",
    "All right, go.",
)
TIMER_OVER: Final = (
    "Your {n} seconds are over.", "Time is up.", "{N} seconds have passed.", "The time is over.", "The timer is done.",
    "That was {n} seconds.",
)  # fmt: skip
WHEN_OVER: Final = (
    "Tell me when {x} {t}.", "Let me know as soon as {x} {t}.", "Tell me when you cannot hear {x} any more.",
    "Say something when {x} {t}.", "I want to know when {x} {t}.", "When {x} {t}, tell me.",
    "Listen to {x} and tell me when it {t}.", "Tell me the moment {x} {t}.",
)  # fmt: skip
"""{t}: how the sound ends, `end_of`."""

OVER: Final = (
    "{X} {t}.", "It is quiet now, {x} {t}.", "I cannot hear {x} any more.", "Now {x} {t}.", "That was it, {x} {t}.",
    "I do not hear {x} any more.",
)  # fmt: skip
STILL: Final = (
    "If {x} is still there in {n} seconds, tell me.", "If you can still hear {x} in {n} seconds, say so.",
    "Should you still hear {x} in {n} seconds, tell me.", "If you hear {x} for {n} more seconds, warn me.",
    "Only if {x} is still there in {n} seconds, tell me.", "If {x} is not gone in {n} seconds, tell me.",
    "If {x} can still be heard in {n} seconds, say something.", "Warn me if you still hear {x} in {n} seconds.",
)  # fmt: skip
GOES_ON: Final = (
    "I still hear {x}.", "{X} is still there.", "Nothing has changed, I still hear {x}.", "I can still hear {x}.",
    "{X} can still be heard.",
)  # fmt: skip
WHETHER: Final = (
    "Report on {x} in {n} seconds, is it there or gone?", "After {n} seconds, tell me whether {x} is there or gone.",
    "Wait {n} seconds, then tell me whether {x} is there or gone.", "In {n} seconds I want to know whether {x} {t}.",
    "Check in {n} seconds whether {x} {t} or not.", "Tell me in {n} seconds what has become of {x}.",
    "Listen for {n} seconds, then tell me whether {x} {t}.", "Say in {n} seconds whether {x} {t} or is still there.",
)  # fmt: skip
"""Asked so that a bare yes or no could be taken for either."""

GONE: Final = (
    "{X} {t}.", "{X} is not there any more.", "I do not hear {x} any more.", "It is quiet, {x} {t}.",
    "I cannot hear {x} any more.",
)  # fmt: skip
STILL_THERE: Final = (
    "Tell me in {n} seconds, is {x} still there?", "In {n} seconds, tell me yes or no, is {x} still there?",
    "Yes or no, is {x} still there in {n} seconds?", "Is {x} still there in {n} seconds? Tell me then.",
    "Wait {n} seconds and tell me, is {x} still there?", "Listen for {n} seconds, then tell me, is {x} still there?",
    "Check in {n} seconds, is {x} still there?", "I want to know in {n} seconds, is {x} still there?",
)  # fmt: skip
STILL_THERE_YES: Final = (
    "Yes, {x} is still there.", "Yes, I still hear {x}.", "Yes, {x} can still be heard.", "Yes, I can still hear {x}.",
    "Yes, still there.",
)  # fmt: skip
STILL_THERE_NO: Final = (
    "No, {x} {t}.", "No, I do not hear {x} any more.", "No, {x} is not there any more.", "No, not any more.",
    "No, I cannot hear {x} any more.",
)  # fmt: skip
SECOND_TIME: Final = (
    "Tell me when you hear {x} for the second time.", "The second time you hear {x}, tell me.",
    "Wait until you have heard {x} twice, then tell me.", "Let me know when you hear {x} a second time.",
    "Ignore the first time you hear {x} and report the second.", "Say something when you hear {x} the second time.",
    "When you hear {x} again after the first time, tell me.", "Count two times that you hear {x}, then tell me.",
)  # fmt: skip
SECOND: Final = (
    "That was the second time.", "Now I heard {x} for the second time.", "I hear {x} again, the second time.",
    "That makes two.", "The second time: {x}.", "I heard {x} twice now.",
)  # fmt: skip
ABOUT_REMINDERS: Final = (
    "Remind me in ten minutes, will you?", "Did you set the timer for the cake?",
    "I forgot to remind her of the party.",
    "Tell me in five seconds whether you are ready.", "My reminder did not ring this morning.",
    "In ten seconds I will count to three.", "Remind your sister to call her teacher.",
    "Wake me when the rain has stopped.",
    "He reminded me of the meeting twice.", "Set a timer, or the eggs will be too hard.",
    "Wait ten seconds before you open it.",
    "Can you tell me when the siren has stopped?", "You said you would remind me.",
    "Give me ten seconds and I am ready.",
)  # fmt: skip
"""Talk about reminders and times that is for somebody else."""

PEOPLE_REPLY: Final = (
    "Yes, I will.", "Sure, no problem.", "I am not your clock.", "All right.", "Do it yourself, please.",
    "Okay, I will try.",
    "Later, I am busy now.", "Of course.",
)  # fmt: skip
CANCEL_TIME: Final = (
    "Cancel that, please.", "Never mind, I have done it.", "You do not have to tell me any more.",
    "Forget it, I am done.",
    "Stop that timer, please.", "I do not need that any more.", "Do not tell me, I remember it.",
    "Please cancel it again.",
)  # fmt: skip
CONTINUOUS: Final[dict[str, str]] = {
    "rain": "the rain", "water": "the water", "wind": "the wind", "fan": "the fan", "vacuum_fan": "the vacuum cleaner",
    "drilling": "the drilling", "chainsaw": "the chainsaw", "helicopter": "the helicopter", "airplane": "the plane",
    "car_engine": "the engine", "engine_idling": "the engine", "music": "the music", "train": "the train",
    "air_conditioner": "the air conditioner", "crackling_fire": "the crackling", "kettle_boil": "the kettle",
    "hum": "the hum", "jackhammer": "the jackhammer", "applause_clap": "the clapping",
}  # fmt: skip
"""Classes that sound without a break, and how one names them while they sound, always as one thing."""

PASSES: Final = frozenset({"helicopter", "airplane", "train"})
"""What goes away: that it is not heard does not say that it has stopped."""


def end_of(label: str) -> str:
    """How a continuous sound ends: "the rain has stopped", "the plane is gone"."""
    return "is gone" if label in PASSES else "has stopped"


SEPARATE: Final = (
    "bell", "cat", "cat_meow", "dog", "rooster", "cow", "crow", "owl", "frog", "pig", "horse", "car_horn", "whistle",
    "sneezing", "laugh", "door", "thunder", "beep", "camera_shutter", "applause_clap", "lion_roar", "monkey",
    "elephant", "click",
)  # fmt: skip
"""Classes that come as single sounds, so that one can count how often."""
