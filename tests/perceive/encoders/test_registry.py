"""Encoders out of Hugging Face folders as transformers writes them, and folders that are wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.encoders import FAMILIES, load, markdown, outline, random, table
from soundflow.perceive.encoders.registry import random_module
from tests.perceive.encoders.audio import CHUNK, noise, whole

transformers.logging.disable_progress_bar()
WAV2VEC2 = "Wav2Vec2FeatureExtractor"
SMALL = {name: dict(family.small) for name, family in FAMILIES.items()}
TEXT = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "vocab_size": 50,
}


def whisper() -> Any:
    ids = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 1)
    small = {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16, "vocab_size": 50}
    config = transformers.WhisperConfig(**SMALL["whisper"], **small, **ids, begin_suppress_tokens=None)
    return transformers.WhisperForConditionalGeneration(config)


def moonshine() -> Any:
    small = {"decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 4, "vocab_size": 50}
    return transformers.MoonshineForConditionalGeneration(transformers.MoonshineConfig(**SMALL["moonshine"], **small))


def moonshine_streaming() -> Any:
    inside = {**SMALL["moonshine_streaming"], "model_type": "moonshine_streaming_encoder"}
    text = {**TEXT, "hidden_size": 32}
    config = transformers.MoonshineStreamingConfig(encoder_config=inside, **text)
    return transformers.MoonshineStreamingForConditionalGeneration(config)


def voxtral() -> Any:
    inside = {**SMALL["voxtral_realtime"], "model_type": "voxtral_realtime_encoder"}
    text = {**TEXT, "model_type": "voxtral_realtime_text"}
    config = transformers.VoxtralRealtimeConfig(audio_config=inside, text_config=text)
    return transformers.VoxtralRealtimeForConditionalGeneration(config)


def nemotron() -> Any:
    inside = {**SMALL["nemotron_asr_streaming"], "model_type": "nemotron_asr_streaming_encoder"}
    config = transformers.NemotronAsrStreamingConfig(encoder_config=inside, decoder_hidden_size=8, vocab_size=20)
    return transformers.NemotronAsrStreamingForRNNT(config)


def nemotron3_5() -> Any:
    inside = {**SMALL["nemotron_asr_streaming"], "model_type": "nemotron_asr_streaming_encoder"}
    small = {"decoder_hidden_size": 8, "vocab_size": 20, "num_prompts": 4, "prompt_intermediate_size": 8}
    config = transformers.Nemotron3_5AsrConfig(encoder_config=inside, default_prompt_id=1, blank_token_id=19, **small)
    return transformers.Nemotron3_5AsrForRNNT(config)


def mimi() -> Any:
    return transformers.MimiModel(transformers.MimiConfig(**SMALL["mimi"]))


def kyutai() -> Any:
    config = transformers.KyutaiSpeechToTextConfig(
        codec_config={**SMALL["mimi"], "model_type": "mimi"},
        **{key: TEXT[key] for key in ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size")},
        ffn_dim=16,
        codebook_vocab_size=17,
        num_codebooks=2,
        audio_pad_token_id=70,
        audio_bos_token_id=16,
        bos_token_id=1,
    )
    return transformers.KyutaiSpeechToTextForConditionalGeneration(config)


def encoder_alone(name: str) -> Callable[[], Any]:
    return lambda: random_module(name, seed=4)


WHOLE: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "whisper": (whisper, lambda m: m.model.encoder),
    "moonshine": (moonshine, lambda m: m.model.encoder),
    "moonshine_streaming": (moonshine_streaming, lambda m: m.model.encoder),
    "moonshine_streaming_encoder": (encoder_alone("moonshine_streaming"), lambda m: m),
    "voxtral_realtime": (voxtral, lambda m: m.model.audio_tower),
    "voxtral_realtime_encoder": (encoder_alone("voxtral_realtime"), lambda m: m),
    "nemotron_asr_streaming": (nemotron, lambda m: m.encoder),
    "nemotron_asr_streaming_encoder": (encoder_alone("nemotron_asr_streaming"), lambda m: m),
    "nemotron3_5_asr": (nemotron3_5, lambda m: m.encoder),
    "mimi": (mimi, lambda m: m.encoder),
    "mimi_encoder": (encoder_alone("mimi"), lambda m: m),
    "kyutai_speech_to_text": (kyutai, lambda m: m.codec_model.encoder),
}


def saved(name: str, folder: Path) -> Any:
    """A whole model with random weights, written as transformers does it; returns its encoder."""
    with torch.random.fork_rng():
        torch.manual_seed(11)
        model = WHOLE[name][0]().eval()
    model.save_pretrained(folder)
    return WHOLE[name][1](model)


@torch.no_grad()
@pytest.mark.parametrize("name", WHOLE)
def test_a_folder_is_loaded_whole(name: str, tmp_path: Path) -> None:
    module, audio = saved(name, tmp_path), noise(1, 4 * CHUNK)
    before = torch.random.get_rng_state()
    got = whole(load(tmp_path, CHUNK), audio)
    assert torch.equal(torch.random.get_rng_state(), before)
    wanted = FAMILIES[name].wrap(module, CHUNK, None, None)
    assert outline(tmp_path, CHUNK) == wanted.spec
    assert torch.equal(got, whole(wanted, audio))
    assert not torch.equal(got, whole(FAMILIES[name].wrap(random_module(name, 5), CHUNK, None, None), audio))
    half = load(tmp_path, CHUNK, dtype=torch.bfloat16)
    frames = whole(half, audio)
    assert frames.dtype == torch.bfloat16
    assert (frames - got).norm() < 0.1 * got.norm()


def test_every_family_is_loaded_here() -> None:
    assert set(WHOLE) == set(FAMILIES)


def test_weights_in_several_files_are_one_encoder(tmp_path: Path) -> None:
    saved("mimi", tmp_path)
    audio, path = noise(1, 2 * CHUNK), tmp_path / "model.safetensors"
    wanted, weights = whole(load(tmp_path, CHUNK), audio), load_file(path)
    path.unlink()
    keys = sorted(weights)
    for i in range(2):
        save_file({key: weights[key] for key in keys[i::2]}, tmp_path / f"model-{i}.safetensors")
    assert torch.equal(whole(load(tmp_path, CHUNK), audio), wanted)


def edited(folder: Path, edit: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    weights = load_file(folder / "model.safetensors")
    edit(weights)
    save_file(weights, folder / "model.safetensors")


KEY = "model.encoder.layers.1.fc1.weight"


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda w: w.pop(KEY), KEY),
        (lambda w: w.update({KEY: torch.zeros(3, 32)}), r"expected \(48, 32\), got \(3, 32\)"),
        (lambda w: w.update({KEY: torch.full((48, 32), torch.nan)}), "finite"),
        (lambda w: w.update({KEY.replace("1", "2", 1): torch.zeros(1)}), "layers.2.*no such part"),
        (lambda w: [w.pop(key) for key in list(w) if "encoder." in key], "expected keys as model.encoder.conv1"),
    ],
)
def test_weights_that_are_not_the_configs_are_refused(edit: Any, says: str, tmp_path: Path) -> None:
    saved("whisper", tmp_path)
    edited(tmp_path, edit)
    with pytest.raises(WeightsError, match=says):
        load(tmp_path, CHUNK)


def test_a_damaged_or_missing_file_is_refused(tmp_path: Path) -> None:
    saved("moonshine", tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(WeightsError, match=r"model\.safetensors: expected a safetensors file"):
        load(tmp_path, CHUNK)
    path.rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"expected \*\.safetensors, got .*pytorch_model\.bin"):
        load(tmp_path, CHUNK)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "Hugging Face config"),
        ("[]", "JSON object"),
        ("{}", "model_type expected one of .*whisper"),
        ('{"model_type": "wav2vec2"}', "kyutai_speech_to_text, mimi.*got 'wav2vec2'"),
        ('{"model_type": "mimi", "num_filters": "many"}', "num_filters"),
        ('{"model_type": "mimi", "use_causal_conv": false}', "use_causal_conv"),
        ('{"model_type": "mimi", "sampling_rate": 8000}', "sampling_rate"),
        ('{"model_type": "mimi", "num_attention_heads": 7}', "head_dim"),
        ('{"model_type": "moonshine_streaming_encoder", "num_hidden_layers": 2}', "sliding_windows"),
    ],
)
def test_a_config_that_is_no_encoders_is_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ConfigError, match=says):
        load(tmp_path, CHUNK)


@pytest.mark.parametrize(
    ("name", "file", "text", "says"),
    [
        ("whisper", "preprocessor_config.json", {"feature_size": 80}, "feature_size: expected 20, got 80"),
        ("whisper", "preprocessor_config.json", {"n_fft": 512}, "n_fft: expected 400"),
        ("moonshine", "processor_config.json", {"feature_extractor": {"sampling_rate": 8_000}}, "expected 16000"),
        ("voxtral_realtime", "processor_config.json", {"feature_extractor": {"global_log_mel_max": 2}}, "expected 1.5"),
        ("nemotron_asr_streaming", "preprocessor_config.json", {"preemphasis": 0.0}, "preemphasis: expected 0.97"),
        ("mimi", "preprocessor_config.json", {"sampling_rate": 16_000}, "expected 24000"),
        ("moonshine", "preprocessor_config.json", {"do_normalize": True}, "do_normalize: expected False, got True"),
        ("moonshine_streaming", "processor_config.json", {"feature_extractor": {"do_normalize": True}}, "expected Fal"),
        ("moonshine", "preprocessor_config.json", {"feature_extractor_type": WAV2VEC2}, "do_normalize: expected False"),
        ("moonshine", "processor_config.json", {"feature_extractor": [1]}, "JSON object"),
    ],
)
def test_features_that_we_do_not_compute_are_refused(
    name: str, file: str, text: dict[str, Any], says: str, tmp_path: Path
) -> None:
    saved(name, tmp_path)
    (tmp_path / file).write_text("{}")
    load(tmp_path, CHUNK)
    (tmp_path / file).write_text(json.dumps(text))
    with pytest.raises(ConfigError, match=f"{file}: .*{says}"):
        load(tmp_path, CHUNK)


@pytest.mark.parametrize("name", ["moonshine", "moonshine_streaming"])
def test_the_published_feature_extractor_is_taken_and_gives_raw_audio(name: str, tmp_path: Path) -> None:
    """And its class normalises where its file does not say."""
    saved(name, tmp_path)
    published = transformers.Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True)
    published.save_pretrained(tmp_path)
    assert load(tmp_path, CHUNK).spec.name == name
    audio = noise(1, CHUNK)[0].numpy()
    made = published(audio, sampling_rate=16_000, padding=True, pad_to_multiple_of=80)
    assert (made["input_values"][0] == audio).all()
    assert transformers.Wav2Vec2FeatureExtractor().do_normalize
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="do_normalize"):
        load(tmp_path, CHUNK)


def test_a_folder_without_a_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.json"):
        load(tmp_path / "nowhere", CHUNK)
    with pytest.raises(ConfigError, match="moonshine, moonshine_streaming"):
        random("beats", CHUNK)


def test_what_cannot_be_streamed_is_refused() -> None:
    with pytest.raises(ConfigError, match="use_causal_conv"):
        random("mimi", CHUNK, use_causal_conv=False)
    with pytest.raises(ConfigError, match="rope_type"):
        random("voxtral_realtime", CHUNK, rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4})
    with pytest.raises(ConfigError, match="at most 4 frames"):
        random("nemotron_asr_streaming", CHUNK, max_position_embeddings=4)
    with pytest.raises(ConfigError, match="kernel 3"):
        random("nemotron_asr_streaming", CHUNK, subsampling_conv_kernel_size=5)


def test_random_is_the_same_for_the_same_seed_only() -> None:
    audio = noise(1, CHUNK)
    one, same, other = (whole(random("moonshine", CHUNK, seed), audio) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_table_has_every_encoder_at_its_published_size() -> None:
    rows = {spec.name: spec for _, spec, _ in table()}
    rates = {name: round(spec.frame_rate_hz, 2) for name, spec in rows.items()}
    fifty = dict.fromkeys(("whisper", "moonshine_streaming", "voxtral_realtime"), 50.0)
    assert rates == {**fifty, "moonshine": 41.67, "nemotron_asr_streaming": 12.5, "mimi": 12.5}
    assert {name for name, spec in rows.items() if spec.kind == "windowed"} == {"whisper", "moonshine"}
    assert rows["voxtral_realtime"].width == 1_280
    assert rows["moonshine_streaming"].look_ahead_samples == 12 * 320
    assert rows["nemotron_asr_streaming"].look_ahead_samples == 13 * 1_280
    lines = markdown(table()).splitlines()
    assert len(lines) == 2 + len(rows)
    assert len({line.count("|") for line in lines}) == 1


def test_the_table_says_what_a_stream_holds() -> None:
    rows = {spec.name: held for _, spec, held in table()}
    keys = {"voxtral_realtime": 32 * 749 * 32 * 64, "mimi": 8 * 249 * 8 * 64}  # layers, frames, heads, width of a head
    for name, count in keys.items():
        assert 2 * 4 * count < rows[name] < 1.01 * 2 * 4 * count
    assert rows["whisper"] == 4 * (200 * 320 + 360 + 200)  # 200 frames, a field and the mirrored edge
    assert rows["moonshine"] == 4 * (50 * 384 + 895)
    said = next(line for line in markdown(table()).splitlines() if "voxtral" in line)
    assert said.endswith("| 393 |")
    short, whole_window = (random("voxtral_realtime", CHUNK, left_ms=ms).init_state(1).row_bytes for ms in (100, None))
    assert short < 0.7 * whole_window


def test_importing_the_package_does_not_import_transformers() -> None:
    code = "import sys, soundflow.perceive.encoders; print('transformers' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert json.loads(out.strip().lower()) is False
