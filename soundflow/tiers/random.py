"""Whole model folders with small random weights: the path of a tier, from a file of audio to events, in seconds and
without a download. What such a model decides means nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save_file

from soundflow.decide.context import SYSTEM
from soundflow.errors import ConfigError
from soundflow.perceive.labels import ALERTING, GENERIC, SPEECH
from soundflow.tiers import card
from soundflow.tiers.base_config import BaseConfig, Place

TIERS: Final = ("base", "omni")
LABELS: Final = tuple(
    dict.fromkeys([*sorted(SPEECH), *(x for group in ALERTING.values() for x in group), *GENERIC, "Silence"])
)
"""AudioSet's names of what tells somebody something, of speech, and of the plainest other sounds."""
TEXT: Final = (SYSTEM, "User: what did you hear? Assistant: I heard a dog at 12:05.", '{"name": "", "arguments": {}}')
"""With `LABELS`, what the small tokenizer has learned its pieces from."""
FORMAT: Final = {"format": "pt"}
"""What transformers asks of a safetensors file's metadata."""
VOCAB: Final = 1_000
WIDTH: Final = 32
NO_RIGHTS: Final = "random weights, no rights reserved"
QUIET: Final = 3.0
"""Log-odds that are taken from every class of random BEATs, so that not all of them are heard all the time."""


def write(tier: str, folder: Path, seed: int = 0) -> Path:
    """A model folder of `tier` in `folder`, which must be empty or not there. The same seed gives the same weights.

    Raises:
        ConfigError: no such tier, or something is in the folder already.
    """
    if tier not in TIERS:
        raise ConfigError(f"one of {', '.join(TIERS)} was expected, got {tier!r}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: an empty folder was expected")
    folder.mkdir(parents=True, exist_ok=True)
    {"base": _base, "omni": _omni}[tier](folder, seed)
    card.write(folder, "Random weights, for trying the path only: what it decides means nothing.")
    return folder


def _base(folder: Path, seed: int) -> None:
    from soundflow.perceive.beats import Beats, BeatsConfig

    names = ("lm", "speech", "sound")
    for name in names:
        (folder / name).mkdir()
    vocab = _tokenizer(folder / "lm" / "tokenizer.json")
    _language_model(folder / "lm", vocab, seed)
    _whisper(folder / "speech", seed)
    beats = Beats.random(BeatsConfig.tiny(len(LABELS)), seed, LABELS)
    assert beats.predictor is not None
    with torch.no_grad():
        beats.predictor.bias.sub_(QUIET)
    beats.save(folder / "sound" / "beats.safetensors")
    lm, speech, sound = (Place(path=name) for name in names)
    licences = tuple((name, NO_RIGHTS) for name in names)
    times = {"speech_left_ms": 2_000, "sound_left_ms": 1_920}
    BaseConfig(lm, speech, sound, cache_tokens=256, licences=licences, **times).save(folder)  # type: ignore[arg-type]


def _omni(folder: Path, seed: int) -> None:
    from soundflow.perceive.omni.tower import Tower, TowerConfig
    from soundflow.tiers.omni.layout import EMOTIONS, Tokens
    from soundflow.tiers.omni.settings import LM, TOKENIZER, TOWER, Settings

    named = ("online", "english", "system", "text_end", "audio_begin", "pad", "user", "assistant", "keep_silence")
    control = [f"<|{name}|>" for name in (*named, *EMOTIONS)]
    vocab = _tokenizer(folder / TOKENIZER, control)
    first = vocab - len(control)
    ids: dict[str, Any] = {name: first + n for n, name in enumerate(named)}
    emotions = tuple((name, first + len(named) + n) for n, name in enumerate(EMOTIONS))
    tokens = Tokens(**ids, text_begin=ids["system"], emotions=emotions)
    (folder / LM).mkdir()
    _language_model(folder / LM, vocab, seed)
    shape = TowerConfig(
        mels=128, width=32, layers=2, heads=4, hidden=48, half_block=100, positions=150, out=WIDTH
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tower = Tower(shape)
    save_file({k: v.detach().contiguous() for k, v in tower.named_parameters()}, folder / TOWER)
    licences = tuple((name, NO_RIGHTS) for name in ("tower", "lm"))
    Settings(shape, vocab, tokens, context_tokens=512, licences=licences).save(folder)


def _language_model(folder: Path, vocab: int, seed: int) -> None:
    """A Hugging Face folder of a small Qwen 2, with weights large enough that its logits differ."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=vocab, hidden_size=WIDTH, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=4_096, tie_word_embeddings=False, initializer_range=0.3,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen2ForCausalLM(config)
    config.architectures = ["Qwen2ForCausalLM"]
    config.save_pretrained(folder)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "model.safetensors", FORMAT)


def _whisper(folder: Path, seed: int) -> None:
    """A Hugging Face folder of a small Whisper encoder."""
    from soundflow.perceive.encoders import registry, whisper

    module = registry.random_module("whisper", seed)
    held = {f"model.encoder.{k}": v.detach().contiguous() for k, v in module.state_dict().items()}
    save_file(held, folder / "model.safetensors", FORMAT)
    (folder / "config.json").write_text(json.dumps({"model_type": "whisper", **whisper.SMALL}, indent=1) + "\n")


def _tokenizer(path: Path, more: Sequence[str] = ()) -> int:
    """A small tokenizer of bytes and pieces with the control tokens of a chat; `more` are its last ids -> its size."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB,
        special_tokens=[AddedToken(x, special=True) for x in control],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([*LABELS, *(f" {x.lower()}" for x in LABELS), *TEXT * 3], trainer)
    made.add_special_tokens([AddedToken(x, special=True) for x in more])
    made.save(str(path))
    size: int = made.get_vocab_size()
    return size
