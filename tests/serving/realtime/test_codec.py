from __future__ import annotations

import base64
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.codec import PCM, PCMA, PCMU, AudioFormat, Decoder, Encoder, decode_base64, parse_format
from soundflow.errors import AudioFormatError

FORMATS = [AudioFormat(PCM, 24_000), AudioFormat(PCM, 16_000), AudioFormat(PCMU, 8_000), AudioFormat(PCMA, 8_000)]
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("form", FORMATS, ids=str)
@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 4001), max_size=12))
def test_any_slicing_gives_the_same_samples(form: AudioFormat, cuts: list[int]) -> None:
    data = RNG.integers(0, 256, 4001, dtype=np.uint8).tobytes()
    whole = Decoder(form).push(data)
    sliced = Decoder(form)
    edges = [0, *sorted(cuts), len(data)]
    parts = [sliced.push(data[a:b]) for a, b in itertools.pairwise(edges)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


def test_pcm_16k_is_exact_and_an_odd_byte_waits() -> None:
    decoder = Decoder(AudioFormat(PCM, 16_000))
    data = np.array([0, 1, -32768, 32767], "<i2").tobytes()
    assert decoder.push(data[:3]).tolist() == [0.0]
    assert decoder.push(data[3:]).tolist() == [1 / 32768, -1.0, 32767 / 32768]
    decoder.push(b"\x01")
    decoder.reset()
    assert decoder.push(b"\x00\x40").tolist() == [0.5]


@pytest.mark.parametrize("form", FORMATS[2:], ids=str)
def test_g711_codes_survive_and_the_error_is_small(form: AudioFormat) -> None:
    from serving.codec import _alaw_values, _ulaw_values

    values = _ulaw_values() if form.type == PCMU else _alaw_values()
    codes = np.frombuffer(Encoder(form, 8_000).push(values), np.uint8)
    np.testing.assert_array_equal(values[codes], values)
    samples = np.linspace(-0.98, 0.98, 4001, dtype=np.float32)
    back = values[np.frombuffer(Encoder(form, 8_000).push(samples), np.uint8)]
    assert np.max(np.abs(back - samples) / np.maximum(np.abs(samples), 0.01)) < 0.05


@pytest.mark.parametrize(("form", "name"), [(FORMATS[2], "ulaw2lin"), (FORMATS[3], "alaw2lin")], ids=str)
def test_g711_values_are_those_of_the_standard_library(form: AudioFormat, name: str) -> None:
    audioop = pytest.importorskip("audioop")
    from serving.codec import _alaw_values, _ulaw_values

    ours = (_ulaw_values() if form.type == PCMU else _alaw_values()) * 32768
    theirs = np.frombuffer(getattr(audioop, name)(bytes(range(256)), 2), np.int16)
    np.testing.assert_array_equal(ours.astype(int), theirs)


@pytest.mark.parametrize("form", FORMATS, ids=str)
@pytest.mark.parametrize("rate", [22_050, 16_000, 48_000])
def test_a_tone_survives_encode_and_decode(form: AudioFormat, rate: int) -> None:
    t = np.arange(rate) / rate
    tone = (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
    encoder = Encoder(form, rate)
    data = b"".join(encoder.push(tone[i : i + 700]) for i in range(0, rate, 700)) + encoder.push(tone[:0], last=True)
    assert abs(form.ms(len(data)) - 1000) < 2
    heard = Decoder(form).push(data)
    spectrum = np.abs(np.fft.rfft(heard[2000:10_000]))
    assert abs(np.argmax(spectrum) * 16_000 / 8000 - 440) < 3
    assert abs(np.sqrt((heard[2000:10_000] ** 2).mean()) - 0.5 / np.sqrt(2)) < 0.01


def test_loud_and_broken_samples_are_clipped_and_silent() -> None:
    data = Encoder(AudioFormat(PCM, 16_000), 16_000).push(np.array([2.0, -2.0, np.nan, np.inf], np.float32))
    assert np.frombuffer(data, "<i2").tolist() == [32767, -32768, 0, 32767]


@pytest.mark.parametrize(
    "body", [{"type": "audio/opus"}, {"type": PCM, "rate": 44_100}, {"type": PCMU, "rate": 16_000}, 3]
)
def test_other_formats_are_refused(body: object) -> None:
    with pytest.raises(AudioFormatError, match=r"session\.audio"):
        parse_format(body, "session.audio")


@pytest.mark.parametrize("text", ["a", "====", "é", "AA=A", 3, None, base64.b64encode(bytes(100)).decode()])
def test_bad_base64_is_refused(text: object) -> None:
    with pytest.raises(AudioFormatError, match=r"^audio:"):
        decode_base64(text, 90, "audio")
    assert decode_base64(base64.b64encode(bytes(90)).decode(), 90, "audio") == bytes(90)
