"""Engines that are programs of the system: espeak-ng (with mbrola), flite, festival, RHVoice and SVOX Pico."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final

from data_builder.clips import FloatArray
from data_builder.speech.protocol import Voice, read, run

ESPEAK_WORDS_PER_MINUTE: Final = 165
FESTIVAL_FOLDERS: Final = (Path("/usr/share/festival/voices"), Path("/usr/lib/festival/voices"))
RHVOICE_FOLDERS: Final = (Path("/usr/share/RHVoice/voices"), Path("/usr/local/share/RHVoice/voices"))
MBROLA_FOLDER: Final = Path("/usr/share/mbrola")
PICO_FOLDER: Final = Path("/usr/share/pico/lang")
# by the copyright files of Debian's packages: rab needs the OALD lexicon, the others are restricted themselves
NON_COMMERCIAL: Final = {"rab_diphone", "el_diphone", "us1_mbrola", "us2_mbrola"}
NON_DERIVATIVE: Final = {"evgeniy-eng", "lyubov"}
UNMARKED: Final = str.maketrans("&<>", "   ")


class Espeak:
    """espeak-ng; a name is a voice, or a voice with a variant as "en-us+f3"."""

    deterministic = True
    needs: ClassVar[tuple[str, ...]] = ("espeak-ng",)

    def say(self, text: str, voice: Voice) -> FloatArray:
        mood = voice.prosody
        speed = round(ESPEAK_WORDS_PER_MINUTE * mood.rate)
        options = ["-s", str(speed), "-p", str(mood.pitch)]
        if mood.spread != 50:  # only SSML has it; 100 % is 50
            text = f'<speak><prosody range="{2 * mood.spread}%">{text.translate(UNMARKED)}</prosody></speak>'
            options.append("-m")
        with TemporaryDirectory() as folder:
            out = Path(folder) / "a.wav"
            run(["espeak-ng", "-v", voice.name, *options, "-w", str(out), "--", text], text)
            return read(out, text)

    def names(self) -> set[str]:
        """Voices as "en-us" and variants as "+f3": every voice speaks in every variant.

        A voice's name is that of its file: espeak-ng 1.51 ignores the variant behind a language code that has no file
        of its own ("en-gb+f3" and "fr-fr+f3" sound like "en" and "fr").
        """
        languages = {row[4].rpartition("/")[2].lower() for row in self._rows("--voices")}
        return languages | {f"+{row[4].removeprefix('!v/')}" for row in self._rows("--voices=variant")}

    def licence(self, voice: Voice) -> str:
        return "synthetic (espeak-ng)"

    def _rows(self, option: str) -> list[list[str]]:
        lines = run(["espeak-ng", option], option).decode(errors="replace").splitlines()[1:]
        return [row for line in lines if len(row := line.split()) >= 5]


class Mbrola(Espeak):
    """mbrola's voices with espeak-ng in front, as "mb-us1". They may be used without charge, but not commercially."""

    needs: ClassVar[tuple[str, ...]] = ("espeak-ng", "mbrola")

    def names(self) -> set[str]:
        return {f"mb-{f.name}" for f in MBROLA_FOLDER.glob("*") if (f / f.name).is_file()}

    def licence(self, voice: Voice) -> str:
        return f"synthetic (mbrola {voice.name.removeprefix('mb-')}, non-commercial)"


class Flite:
    """flite; a name is one of its built-in voices."""

    deterministic = True
    needs: ClassVar[tuple[str, ...]] = ("flite",)

    def say(self, text: str, voice: Voice) -> FloatArray:
        with TemporaryDirectory() as folder:
            out = Path(folder) / "a.wav"
            stretch = f"duration_stretch={1 / voice.prosody.rate:.3f}"
            run(["flite", "-voice", voice.name, "--setf", stretch, "-t", text, "-o", str(out)], text)
            return read(out, text)

    def names(self) -> set[str]:
        return set(run(["flite", "-lv"], "-lv").decode(errors="replace").partition(":")[2].split())

    def licence(self, voice: Voice) -> str:
        return f"synthetic (flite {voice.name})"


class Festival:
    """festival's text2wave; a name is a voice without its "voice_", as "kal_diphone". Text is read as Latin-1."""

    deterministic = True
    needs: ClassVar[tuple[str, ...]] = ("text2wave",)

    def say(self, text: str, voice: Voice) -> FloatArray:
        rate = voice.prosody.rate
        stretch = f"(Parameter.set 'Duration_Stretch {1 / rate:.3f})"
        # HTS voices have durations of their own
        speed = f'(set! hts_engine_params (append hts_engine_params (list (list "-r" {rate:.3f}))))'
        speed = f"(if (boundp 'hts_engine_params) {speed})"
        with TemporaryDirectory() as folder:
            out, words = Path(folder) / "a.wav", Path(folder) / "a.txt"
            words.write_bytes(text.encode("latin-1", errors="ignore"))
            settings = [part for scheme in (f"(voice_{voice.name})", stretch, speed) for part in ("-eval", scheme)]
            run(["text2wave", *settings, "-o", str(out), str(words)], text)
            return read(out, text)

    def names(self) -> set[str]:
        return {f.name for folder in FESTIVAL_FOLDERS for f in folder.glob("*/*") if f.is_dir()}

    def licence(self, voice: Voice) -> str:
        return f"synthetic (festival {voice.name}{', non-commercial' if voice.name in NON_COMMERCIAL else ''})"


class RHVoice:
    """RHVoice; a name is a profile in small letters, as "bdl" or "evgeniy-eng"."""

    deterministic = True
    needs: ClassVar[tuple[str, ...]] = ("RHVoice-test",)

    def say(self, text: str, voice: Voice) -> FloatArray:
        with TemporaryDirectory() as folder:
            out = Path(folder) / "a.wav"
            rate = str(round(100 * voice.prosody.rate))
            run(["RHVoice-test", "-p", voice.name, "-r", rate, "-o", str(out)], text, text.encode())
            return read(out, text)

    def names(self) -> set[str]:
        return {f.name for folder in RHVOICE_FOLDERS for f in folder.glob("*") if f.is_dir()}

    def licence(self, voice: Voice) -> str:
        terms = ", non-commercial, CC BY-NC-ND 4.0" if voice.name in NON_DERIVATIVE else ""
        return f"synthetic (RHVoice {voice.name}{terms})"


class Pico:
    """SVOX Pico; a name is a locale, as "en-GB": one woman each."""

    deterministic = True
    needs: ClassVar[tuple[str, ...]] = ("pico2wave",)

    def say(self, text: str, voice: Voice) -> FloatArray:
        level = round(100 * voice.prosody.rate)
        marked = f'<speed level="{level}">{text.translate(UNMARKED)}</speed>'
        with TemporaryDirectory() as folder:
            out = Path(folder) / "a.wav"
            run(["pico2wave", f"--lang={voice.name}", f"--wave={out}", marked], text)
            return read(out, text)

    def names(self) -> set[str]:
        return {f.name.removesuffix("_ta.bin") for f in PICO_FOLDER.glob("*_ta.bin")}

    def licence(self, voice: Voice) -> str:
        return "synthetic (SVOX Pico, Apache-2.0 engine)"


PROGRAMS: Final = {
    "espeak": Espeak,
    "festival": Festival,
    "flite": Flite,
    "mbrola": Mbrola,
    "pico": Pico,
    "rhvoice": RHVoice,
}


def installed() -> dict[str, Espeak | Festival | Flite | Pico | RHVoice]:
    """The engines whose programs are on the PATH, by name."""
    return {name: make() for name, make in PROGRAMS.items() if all(shutil.which(program) for program in make.needs)}
