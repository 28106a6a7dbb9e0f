"""What a later question is answered from: sounds that have left the LALM's cache, and what was said before.

heard now -> fresh (still in the cache) -> notes (no longer in it) -> the next question, with what was said
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from soundflow.decide.context import MAX_SAID
from soundflow.perceive.labels import SPEECH, display_name
from soundflow.types import Note, Sound, Whole

MAX_REMEMBERED: Final = 64  # of what was said
MAX_NOTES: Final = 256  # half an hour of a busy home; a reply reads the newest twelve, `respond.recall` all of them


def sound_note(sound: Sound) -> Note | None:
    """A note of a sound that has just begun; None where it ends, and for speech, whose words are kept instead."""
    if sound.offset is not None or sound.label in SPEECH:
        return None
    return Note(sound.onset, display_name(sound.label))


def whole_note(sound: Whole) -> Note:
    """A note of a sound that was named as a whole."""
    return Note(sound.onset, display_name(sound.label), sound.offset)


def forget(fresh: deque[tuple[int, Note]], notes: deque[Note], forgotten: int) -> list[Note]:
    """Move what has left the cache from `fresh` to `notes`, without repeating itself -> the new notes.

    Args:
        fresh: (chunk, note), oldest first.
        forgotten: newest chunk that has left the cache, -1 for none.
    """
    made: list[Note] = []
    while fresh and fresh[0][0] <= forgotten:
        note = fresh.popleft()[1]
        last = notes[-1] if notes else None
        if last and last.text == note.text and note.sample <= last.sample <= note.until:
            notes[-1] = note  # the same sound, now as a whole
        elif last is None or last.text != note.text or note.until:
            notes.append(note)
            made.append(note)
    return made


def known(
    notes: Iterable[Note], fresh: Iterable[tuple[int, Note]], said: Iterable[Note], asked: int, most: int = MAX_SAID
) -> list[Note]:
    """Sounds, and what was said before sample `asked` (the newest `most`), oldest first."""
    before = [note for note in said if note.sample < asked][-most:]
    return sorted([*notes, *(note for _, note in fresh), *before], key=lambda note: note.sample)
