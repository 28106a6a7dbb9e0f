"""Text -> the token numbers that Kokoro-82M reads, by espeak-ng's phonemes.

The numbers are those of `vocab` in config.json of huggingface.co/hexgrad/Kokoro-82M. The phonemes that it was trained
with are described in EN_PHONES.md of github.com/hexgrad/misaki: IPA with one letter for a diphthong or an affricate.
"""

from __future__ import annotations

import re
from typing import Final

from data_builder.speech.protocol import run
from soundflow.errors import ConfigError, DataError

_RUNS: Final = (  # first number, letters with consecutive numbers
    (1, ";:,.!?"),
    (9, '—…"()“” \u0303ʣʥʦʨᵝ\uab67AI'),
    (31, "O"),
    (33, "Q"),
    (35, "ST"),
    (39, "W"),
    (41, "Yᵊabcdef"),
    (50, "hijklmnopqrstuvwxyzɑɐɒæ"),
    (75, "βɔɕç"),
    (80, "ɖðʤə"),
    (85, "ɚɛɜ"),
    (90, "ɟ"),
    (92, "ɡ"),
    (99, "ɥ"),
    (101, "ɨɪʝ"),
    (110, "ɯɰŋɳɲɴø"),
    (118, "ɸθœ"),
    (123, "ɹ"),
    (125, "ɾɻ"),
    (128, "ʁɽʂʃʈʧ"),
    (135, "ʊʋ"),
    (138, "ʌɣɤ"),
    (142, "χʎ"),
    (147, "ʒʔ"),
    (156, "ˈˌː"),
    (162, "ʰ"),
    (164, "ʲ"),
    (169, "↓"),
    (171, "→↗↘"),
    (177, "ᵻ"),
)
VOCABULARY: Final = {letter: first + i for first, letters in _RUNS for i, letter in enumerate(letters)}
_LANGUAGES: Final = {"a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "i": "it"}
_SYLLABIC: Final = re.compile("(.)\u0329")
_EVERYWHERE: Final = (
    *(("tʃ", "ʧ"), ("dʒ", "ʤ"), ("ts", "ʦ"), ("dz", "ʣ")),
    *(("aɪ", "I"), ("aʊ", "W"), ("eɪ", "A"), ("ɔɪ", "Y"), ("g", "ɡ")),
)
_ENGLISH: Final = (
    *(("ʦ", "ts"), ("ʣ", "dz"), ("r", "ɹ"), ("x", "k"), ("ç", "k"), ("ɬ", "l")),
    *(("ɐ", "ə"), ("ʔ", "t"), ("ʲ", ""), ("\u0303", "")),
)
_AMERICAN: Final = (
    *(("oʊ", "O"), ("ɜː", "ɜɹ"), ("ɚ", "əɹ"), ("ɪə", "iə"), ("ɾ", "T"), ("o", "ɔ")),
    *(("ɒ", "ɔ"), ("ː", ""), ("əl", "ᵊl")),
)
_BRITISH: Final = (("əʊ", "Q"), ("oʊ", "Q"), ("e", "ɛ"), ("iə", "ɪə"), ("ɚ", "ə"), ("ᵻ", "ɪ"), ("ɾ", "t"))


def tokens(text: str, name: str) -> list[int]:
    """Token numbers of a text for the voice `name`, whose first letter is its language.

    Raises ConfigError for a language that is not here, DataError where nothing is to be said or espeak-ng fails.
    """
    language = _LANGUAGES.get(name[:1])
    if language is None:
        raise ConfigError(f"kokoro: expected a voice of {', '.join(_LANGUAGES)} (its first letter), got {name!r}")
    spelt = ""
    for piece in re.split(r"([;:,.!?—…])", text):
        if piece in tuple(";:,.!?—…"):
            spelt += piece
        elif any(c.isalnum() for c in piece):
            command = ["espeak-ng", "-q", "--ipa", "-v", language, "--", piece.strip()]
            said = " ".join(run(command, text).decode(errors="replace").split())
            spelt += f" {phonemes(said, language)}"
    ids = [VOCABULARY[letter] for letter in spelt.strip() if letter in VOCABULARY]
    if not ids:
        raise DataError("expected phonemes, got none", text)
    return ids


def phonemes(ipa: str, language: str) -> str:
    """espeak-ng's IPA in Kokoro's letters."""
    english = _ENGLISH if language.startswith("en") else ()
    accent = {"en-us": _AMERICAN, "en-gb": _BRITISH}.get(language, ())
    ipa = _SYLLABIC.sub("ᵊ\\1", ipa)
    for said, letter in (*_EVERYWHERE, *english, *accent):
        ipa = ipa.replace(said, letter)
    return ipa
