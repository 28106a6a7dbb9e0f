"""Who gets the processor first where there is not enough of it: decisions, then the words of the next one, then voices.

A recognition takes 60 to 200 ms and is wanted a chunk later; beside two of them a pass of decisions on two cores took
two to three times as long. Linux has a niceness for each thread; elsewhere all stay equal.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import Final

WORDS: Final = 5  # weighs a third of a thread at 0
VOICES: Final = 10  # a ninth


def give_way(niceness: int) -> None:
    """Run the calling thread at this niceness from now on, where the system can; one that is nicer stays so."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, max(niceness, os.getpriority(os.PRIO_PROCESS, thread)))
