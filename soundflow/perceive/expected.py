"""What is likely to be said in a stream, for the recogniser: names of the tools, a word that is waited for, requests.

People ask a system that listens for the same few things in the same few ways, from across a room, under the very sound
that they ask about. "Tell me when you hear a beep" is then "... when you'll be presenting" to a small recogniser,
unless it knows what may come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

REQUEST_OPENS, REQUEST_GOES_ON = 1.0, 3.0
"""Log-odds of `requests`: less than of what tools can be told, as they are thousands (training/RUNS.md)."""


@dataclass(frozen=True, slots=True)
class Expected:
    """phrases: that the tools can be told. words: that somebody waits for, in lower case. requests: whether somebody
    may ask for something."""

    phrases: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    requests: bool = False


ANYTHING: Final = Expected()

_SOUNDS: Final = """
alarm|ambulance|applause|baby|baby crying|bark|barking|beep|bell|bird|birds|birdsong|boiling|bus|busy tone|car|
car alarm|car engine|car horn|cat|chainsaw|chicken|children|clapping|click|clock|coin|cough|coughing|cow|cricket|crow|
crying|crying baby|dishes|dog|door|doorbell|drill|duck|engine|explosion|fan|fire|fire alarm|footsteps|frog|glass|goose|
gunshot|helicopter|horn|horse|hum|insect|kettle|keyboard|knock|knocking|laugh|laughter|lion|meow|music|owl|phone|pig|
plane|rain|rooster|running water|scream|sea|sheep|shot|siren|smoke alarm|sneeze|sneezing|snoring|song|telephone|thunder|
ticking clock|train|truck|typing|vacuum cleaner|water|waves|whistle|whistling|wind
"""
SOUNDS: Final = tuple(_SOUNDS.replace("\n", "").split("|"))

_BEFORE_A_SOUND: Final = (
    *("when you hear", "if you hear", "did you hear", "often you heard", "listen for", "watch out for", "look out for"),
    *("waiting for", "count for", "tell me about", "telling me about", "meant", "make that", "counting", "changed to"),
    *("have you heard", "cannot hear", "still hear", "listen to"),
)

_ASKING: Final = """
tell me when you hear|tell me if you hear|tell me when there is|tell me as soon as|tell me|let me know when you hear|
let me know if you hear|let me know as soon as|let me know|alert me if you hear|alert me when|warn me when|
notify me when|listen for|watch out for|look out for|waiting for|when you hear|if you hear|keep count of|
count how often you hear|count the|count every|how often did you hear|how many times did you hear|
did you count how often you heard|what is the count for|second time|third time|has stopped|has ended|when it stops|
still there in|remind me to|remind me in|remind me|reminder|set a timer for|start a timer|start a timer of|
seconds from now|minutes from now|hours from now|stop telling me about|stop listening for|stop reporting|never mind|
forget that|cancel that|changed my mind|instead|instead please|meant|need that any more|say something when|
say something when you hear|tell me when you cannot hear|how many times have you heard
"""
ASKING: Final = tuple(_ASKING.replace("\n", "").split("|"))
_NUMBERS: Final = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty"


def requests() -> Iterator[str]:
    """Phrases that requests to a system that listens are made of. None opens with a word of all talk, as that would
    bend it: "four five" into "for five", letters that are spelled into "a" and "the"."""
    yield from ASKING
    yield from (f"count {n} seconds for me" for n in _NUMBERS.split("|"))
    for sound in SOUNDS:
        for said in (sound, f"{'an' if sound[0] in 'aeiou' else 'a'} {sound}", f"the {sound}", f"some {sound}"):
            for before in _BEFORE_A_SOUND:
                yield f"{before} {said}"
