"""What a sub-task may use for one stream: the sounds and the talk of its split, a moment of a day, and its people's
voices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from data_builder.channel import speaker as loudspeaker
from data_builder.clips import FloatArray
from data_builder.gaps import TALKERS, Babble, talkers
from data_builder.scenario.day import Moment
from data_builder.sources import Clip, Rng, Sources, pick
from data_builder.speech.voices import Speaker, draw
from data_builder.texts.side_talk import SIDE_TALK
from soundflow.errors import DataError

if TYPE_CHECKING:
    from data_builder.speech.synthesise import Synthesiser

REAL_SIDE_TALK: Final = 0.7
RATES: Final = (0.9, 1.0, 1.0, 1.1)


class World:
    """`sources` of a split, `moment` of a day, `cast` (name -> speaker of the household) and `others` of the split.

    `pairs`: questions and answers out of text dialogues. Without a `synth` nobody can be made to speak: `say` raises
    DataError, and real recordings are all there is.
    """

    def __init__(
        self,
        sources: Sources,
        moment: Moment,
        cast: Mapping[str, Speaker],
        others: Sequence[Speaker],
        synth: Synthesiser | None,
        pairs: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.sources, self.talk, self.moment = sources, sources.talk, moment
        self.cast, self.others, self.synth, self.pairs = dict(cast), list(others), synth, pairs

    def person(self, rng: Rng, but: Sequence[str] = ()) -> str:
        """The name of somebody who is there, not one of `but`; somebody else of the household where nobody is left."""
        here = [n for n in self.moment.people if n in self.cast and n not in but]
        names = here or [n for n in sorted(self.cast) if n not in but] or sorted(self.cast)
        if not names:
            raise DataError("expected somebody with a voice, got a household without voices")
        return str(pick(rng, names))

    def say(self, rng: Rng, text: str, person: str = "", language: str = "en", emotion: str = "neutral") -> Clip:
        """`text` spoken by a person of the household (drawn where ""), or by another who speaks `language`.

        Raises DataError (Unheard) where no try is understood.
        """
        speaker = self.cast[person or self.person(rng)]
        return self._spoken(rng, text, speaker, language, emotion)

    def stranger(self, rng: Rng, text: str, language: str = "en", emotion: str = "neutral") -> Clip:
        """`text` spoken by somebody who does not live here: a visitor, the radio, the television."""
        return self._spoken(rng, text, None, language, emotion)

    def _spoken(self, rng: Rng, text: str, speaker: Speaker | None, language: str, emotion: str) -> Clip:
        if self.synth is None:
            raise DataError("expected a speech engine, got none (espeak-ng, flite, festival or Piper)")
        if speaker is None or language not in speaker.voices:
            speaker = draw(self.others, rng, language)
        rate = float(pick(rng, RATES))
        made = self.synth.say(text, speaker.candidates(language, rate), language=language, emotion=emotion)
        more = {"language": language, "heard": made.heard, "emotion": emotion}
        return Clip(made.audio, "speech", "speech", made.source, made.licence, "", text, speaker.id, more, "tts")

    def side_talk(self, rng: Rng, longest: float = 6.0) -> Clip:
        """Speech that is not meant for the system: mostly recordings, else lines of the household among itself."""
        if self.talk and (self.synth is None or rng.random() < REAL_SIDE_TALK):
            return self.talk.side(rng, longest)
        return self.say(rng, str(pick(rng, SIDE_TALK)))

    def television(self, rng: Rng, longest: float = 8.0) -> Clip:
        """A voice out of a small loudspeaker: a recording where there is one."""
        clip = self.talk.side(rng, longest) if self.talk else self.stranger(rng, str(pick(rng, SIDE_TALK)))
        clip.audio, _ = loudspeaker(rng, clip.audio)
        return clip

    def sound(self, rng: Rng, label: str, longest: float = 4.0) -> Clip:
        """A sound of class `label`."""
        return self.sources.event(rng, label, longest)

    def plausible(self, rng: Rng, labels: Sequence[str]) -> str:
        """One of `labels`; four times in five one that belongs to the place where there is one."""
        here = [x for x in labels if x in self.moment.sounds]
        if not labels:
            raise DataError("expected at least one class of sounds to choose from, got none")
        return str(pick(rng, here if here and rng.random() < 0.8 else labels))

    def bed(self, rng: Rng, n: int, neutral: bool) -> Clip:
        return self.sources.bed(rng, n, neutral)

    def babble(self, credit: Callable[[list[Clip]], None]) -> Babble | None:
        """A maker of [n] samples of several voices at once, which are credited as they are used."""
        if not self.talk:
            return None

        def make(rng: Rng, n: int) -> FloatArray:
            voices = [self.talk.side(rng, 6.0) for _ in range(int(rng.integers(*TALKERS)))]
            credit(voices)
            return talkers(rng, [clip.audio for clip in voices], n)

        return make
