"""Who has the floor: a reply that speech has cut, and whether it is taken up again. No torch, no clock.

Speech stops our voice at once, whoever it is for. Only when it is over can it be told whether it was an acknowledgement
(Yngve 1970's back channel), talk among others, or a wish to speak; in the first two cases people go on with what they
were saying, from the beginning of the clause that was cut.
"""

from __future__ import annotations

import re
from typing import Final

WAITS_S: Final = 12.0
"""As long as a cut reply may still be taken up; behind that nobody knows any more what it was about."""
QUIET_CHUNKS: Final = 4
"""Behind speech of which no word was understood: its words would be there by then."""
ECHO_WORDS, ECHO_SHARE = 2, 0.7
MOST_TIMES: Final = 2
"""One reply is taken up so often: where our own echo cuts it, it would go on for ever."""
MOST_CHARS_PER_S: Final = 20.0
"""No voice is faster; how much of the text was heard is bounded by it while the rest of the voice is not made yet."""

_CLAUSE: Final = re.compile(r"[.!?;:,]['\")]?\s+")
_FLOOR: Final = re.compile(
    r"^(?:(?:oh|okay|ok|hey|please|well|and|but|um|uh)[,.]?\s+)*"
    r"(?:stop|wait|hold on|hang on|one moment|just a (?:moment|minute|second)|quiet|be quiet|silence|enough"
    r"|that'?s enough|cancel|never ?mind|shut up|hush|no|nope|not now|thanks|thank you|excuse me|sorry|listen)\b",
    re.IGNORECASE,
)


def unsaid(text: str, heard_s: float, voice_s: float) -> str:
    """What of a reply is to be said again.

    Args:
        heard_s: how long its voice was heard.
        voice_s: how long all of its voice is, as far as it was made.

    Returns:
        `text` from the clause on that was being said; "" where less than two words of it are left.
    """
    whole_s = max(voice_s, len(text) / MOST_CHARS_PER_S)
    at = round(len(text) * min(1.0, max(0.0, heard_s) / whole_s)) if whole_s else 0
    if len(text[at:].split()) < 2:
        return ""
    starts = [0, *(m.end() for m in _CLAUSE.finditer(text))]
    return text[max(start for start in starts if start <= at) :]


def echoes(heard: str, said: str) -> bool:
    """Whether most of the words that were heard are of what was being said: our own voice, then, in the microphone."""
    words = re.findall(r"[a-z']+", heard.lower())
    own = set(re.findall(r"[a-z']+", said.lower()))
    return len(words) >= ECHO_WORDS and sum(w in own for w in words) >= ECHO_SHARE * len(words)


def takes_floor(heard: str) -> bool:
    """Whether these words want the speaker to stop, so that nothing is taken up behind them."""
    return bool(_FLOOR.match(heard.strip()))
