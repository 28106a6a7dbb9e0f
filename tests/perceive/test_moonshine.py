"""The recogniser: its tokenizer file, its bounds, and the real weights where they were pulled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundflow.errors import AudioFormatError, WeightsError
from soundflow.perceive.biasing import OPENS, Bias, pair_merged
from soundflow.perceive.expected import ANYTHING, REQUEST_OPENS, Expected
from soundflow.perceive.moonshine import (
    FIELD_SAMPLES,
    HOP_SAMPLES,
    VOCABULARY,
    Moonshine,
    loop_tokens,
    read_vocabulary,
    token_limit,
)
from soundflow.types import FloatArray


@pytest.fixture(scope="module")
def moonshine(nano_parts: Path) -> Moonshine:
    return Moonshine(nano_parts / "asr")


@pytest.fixture(scope="module")
def spoken(nano_parts: Path) -> FloatArray:
    """'Please turn on the kitchen light.' by the pulled voice, 16 kHz."""
    import soxr

    piper = pytest.importorskip("piper")
    voices = list((nano_parts / "voice").glob("*.onnx"))
    if not voices:
        pytest.skip("no voice in the nano parts: run `soundflow models pull nano`")
    voice = piper.PiperVoice.load(voices[0])
    plain = piper.SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0)
    audio = np.concatenate([c.audio_float_array for c in voice.synthesize("Please turn on the kitchen light.", plain)])
    samples: FloatArray = soxr.resample(audio.astype(np.float32), 22_050, 16_000).astype(np.float32)
    return np.pad(samples, 4_800)


def write(path: Path, tokens: list[bytes]) -> Path:
    sizes = [bytes([len(t)]) if len(t) < 128 else bytes([len(t) % 128 + 128, len(t) // 128]) for t in tokens]
    path.write_bytes(b"".join(size + token for size, token in zip(sizes, tokens, strict=True)))
    return path


def test_tokens_longer_than_127_bytes_have_two_length_bytes(tmp_path: Path) -> None:
    tokens = [b"a" * (i % 400) for i in range(VOCABULARY)]
    assert read_vocabulary(write(tmp_path / "tokenizer.bin", tokens)) == tokens


def test_a_missing_short_or_foreign_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="models pull"):
        read_vocabulary(tmp_path / "none.bin")
    path = write(tmp_path / "tokenizer.bin", [b"abc"] * VOCABULARY)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="32768"):
        read_vocabulary(path)
    path.write_bytes(b"")
    with pytest.raises(WeightsError, match="32768"):
        read_vocabulary(path)


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="models pull"):
        Moonshine(tmp_path)
    (tmp_path / "encoder_model.ort").write_bytes(b"not a model")
    with pytest.raises(WeightsError, match="encoder_model"):
        Moonshine(tmp_path)


@pytest.mark.parametrize(
    ("ids", "loops"),
    [
        ([7] * 12, 11),
        ([7] * 11, 0),
        ([1, *([7, 8, 9] * 4)], 9),
        ([7, 8, 9] * 3, 0),
        (list(range(40)), 0),
        (list(range(8)) * 4, 24),
    ],
)
def test_loops_are_found(ids: list[int], loops: int) -> None:
    assert loop_tokens(ids) == loops


def test_the_token_bound_grows_with_the_audio() -> None:
    assert token_limit(0) < token_limit(16_000) < token_limit(160_000) <= 6.5 * 10 + 6


@pytest.mark.weights
@pytest.mark.parametrize("samples", [1, FIELD_SAMPLES, FIELD_SAMPLES + HOP_SAMPLES - 1, 16_000])
def test_frames_follow_the_hop(moonshine: Moonshine, samples: int) -> None:
    frames = moonshine.encode(np.zeros(samples, np.float32))
    assert frames.shape == (max(0, samples - FIELD_SAMPLES) // HOP_SAMPLES + 1, 288)


@pytest.mark.weights
def test_bad_audio_is_refused(moonshine: Moonshine) -> None:
    for bad in (np.zeros(0), np.zeros((2, 9)), np.zeros(31 * 16_000), np.array([np.nan])):
        with pytest.raises(AudioFormatError):
            moonshine.encode(bad.astype(np.float32))


@pytest.mark.weights
def test_a_sentence_is_heard_and_a_draft_changes_nothing(moonshine: Moonshine, spoken: FloatArray) -> None:
    free = moonshine.hear(spoken)
    assert free.text.lower().strip(".") == "please turn on the kitchen light"
    assert free.text == moonshine.text([i for word in free.words for i in word.ids])
    ids = [i for word in free.words for i in word.ids]
    for draft in (ids, ids[:3], [*ids[:2], 500, 501], [*ids, *ids]):
        assert moonshine.hear(spoken, (), draft).words == free.words


@pytest.mark.weights
def test_phrases_are_spelled_as_the_recogniser_spells_them_and_lead_it(
    moonshine: Moonshine, spoken: FloatArray
) -> None:
    free = moonshine.hear(spoken)
    for word in free.words:
        again = pair_merged(word.text, moonshine._ids)
        assert moonshine.text(again) == word.text
        assert len(again) == len(word.ids)
    assert moonshine.hear(spoken, bias=moonshine.bias(Expected(("kitchen", "light")))).words == free.words
    ids = [i for word in free.words for i in word.ids]
    strong = Bias([pair_merged(p, moonshine._ids) for p in ("chicken light", "Chicken light")], opens=20.0)
    led = moonshine.hear(spoken, bias=strong)  # clear speech is not led astray by less
    assert led.text != free.text
    assert moonshine.hear(spoken, (), ids, strong).words == led.words


@pytest.mark.weights
def test_requests_are_expected_beside_tools_and_words(moonshine: Moonshine, spoken: FloatArray) -> None:
    assert moonshine.bias(ANYTHING) is None
    asking = moonshine.bias(Expected(requests=True))
    assert asking is not None
    assert moonshine.bias(Expected(requests=True)) is asking, "made once"
    assert moonshine.hear(spoken, bias=asking).text == moonshine.hear(spoken).text
    listen, tool, word = (pair_merged(w, moonshine._ids)[0] for w in ("listen", "kitchen", "marzipan"))
    zero = np.zeros(VOCABULARY, np.float32)
    both = moonshine.bias(Expected(("kitchen",), ("marzipan",), requests=True))
    assert both is not None
    assert [both.raised((), zero)[i] for i in (listen, tool, word)] == [REQUEST_OPENS, OPENS, OPENS]
    assert both.words == {"marzipan"}


@pytest.mark.weights
def test_a_forced_prefix_stays_and_the_rest_follows_it(moonshine: Moonshine, spoken: FloatArray) -> None:
    words = moonshine.hear(spoken).words
    frames = moonshine.encode(spoken)
    for count in range(1, len(words) + 1):
        prefix = [i for word in words[:count] for i in word.ids]
        ids = moonshine.decode(frames, prefix)
        assert ids[: len(prefix)] == prefix
        assert [word.text for word in moonshine.ids_to_words(ids)] == [word.text for word in words]
    cut = moonshine.ids_to_words(moonshine.decode(frames, words[0].ids, max_tokens=3))
    assert len(cut) <= 3


@pytest.mark.weights
def test_tokens_that_spell_nothing_join_a_word_without_text(moonshine: Moonshine, spoken: FloatArray) -> None:
    one, two = moonshine.hear(spoken).words[:2]
    dash = next(i for i in range(VOCABULARY) if moonshine.text([i]) == "-" and moonshine.text([*one.ids, i])[-2] == " ")
    words = moonshine.ids_to_words([dash, *one.ids, dash, *two.ids])
    assert [word.text for word in words] == [one.text, two.text]
    assert [i for word in words for i in word.ids] == [dash, *one.ids, dash, *two.ids]
