"""A small random checkpoint in the published layout, made by the published classes, and the reference itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from soundflow.perceive.omni.encoder import OmniEncoder
from soundflow.row import Model
from soundflow.tiers.omni.context import OmniContext
from soundflow.tiers.omni.lalm import OmniLalm
from soundflow.tiers.omni.layout import Tokens
from soundflow.tiers.omni.load import around, hearing
from soundflow.tiers.omni.settings import Settings

TOKENS = Tokens(
    online=100, english=101, system=102, text_begin=102, text_end=103, audio_begin=104, pad=105, user=106,
    assistant=107, keep_silence=108, emotions=(("normal", 110), ("urgent", 111)),
)  # fmt: skip
VOCAB, WIDTH = 128, 32


@dataclass(frozen=True)
class Omni:
    """A model of an omni folder, and parts of it by themselves."""

    settings: Settings
    model: Model
    encoder: OmniEncoder
    lalm: OmniLalm
    context: OmniContext


def load(folder: Path, dtype: torch.dtype = torch.float32) -> Omni:
    perceiver = hearing(folder, dtype)
    model = around(folder, perceiver, dtype)
    return Omni(Settings.read(folder), model, perceiver._encoder, model.lalm, model.context)


@cache
def thinker():
    """`Qwen2_5OmniThinkerForConditionalGeneration`, random, with weights large enough that logits differ."""
    from transformers import Qwen2_5OmniThinkerConfig, Qwen2_5OmniThinkerForConditionalGeneration

    torch.manual_seed(0)
    config = Qwen2_5OmniThinkerConfig(
        audio_config={
            "num_mel_bins": 128, "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 48,
            "d_model": 32, "n_window": 100, "output_dim": WIDTH, "max_source_positions": 150,
        },
        text_config={
            "vocab_size": VOCAB, "hidden_size": WIDTH, "intermediate_size": 48, "num_hidden_layers": 3,
            "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 4096,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2]},
            "tie_word_embeddings": False,
        },
        vision_config={
            "depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": WIDTH,
            "fullatt_block_indexes": [0],
        },
    )  # fmt: skip
    model = Qwen2_5OmniThinkerForConditionalGeneration(config).eval()
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, mean=1.0 if "norm" in name and "weight" in name else 0.0, std=0.25)
    return model.requires_grad_(False)


def save_shards(folder: Path, shards: list[dict[str, torch.Tensor]]) -> None:
    """Write an index and its shards, by the published names."""
    files = [f"model-{n + 1:05}-of-{len(shards):05}.safetensors" for n in range(len(shards))]
    for file, tensors in zip(files, shards, strict=True):
        save_file({k: v.contiguous() for k, v in tensors.items()}, folder / file)
    places = {name: file for file, tensors in zip(files, shards, strict=True) for name in tensors}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))


def write_tokenizer(folder: Path) -> None:
    """A tokenizer of letters, with ids below 100."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = [" ", *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;!?'\"()-<|>_/{}[]@#"]
    rare = {"Ⓝ": 110, "Ⓤ": 111}  # words that the layout uses as emotions
    made = Tokenizer(models.WordLevel({c: i for i, c in enumerate(letters)} | rare, unk_token="."))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    made.decoder = decoders.Fuse()
    made.save(str(folder / "tokenizer.json"))


def released_tensors() -> dict[str, torch.Tensor]:
    """The thinker's tensors by the names that a released file has (`thinker.*`)."""
    names = {"model.audio_tower.": "audio_tower.", "model.visual.": "visual.", "model.language_model.": "model."}
    out = {}
    for name, tensor in thinker().state_dict().items():
        root = next((r for r in names if name.startswith(r)), "")
        out["thinker." + names.get(root, "") + name[len(root) :]] = tensor
    return out


def hub_folder(folder: Path) -> Path:
    """A whole Qwen2.5-Omni checkpoint in two shards, talker and vocoder included."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = released_tensors() | {"talker.model.norm.weight": torch.ones(4), "token2wav.x.weight": torch.ones(2, 2)}
    names = sorted(tensors)
    half = len(names) // 2
    save_shards(folder, [{n: tensors[n] for n in part} for part in (names[:half], names[half:])])
    config = {"model_type": "qwen2_5_omni", "thinker_config": thinker().config.to_dict(), "talker_config": {}}
    (folder / "config.json").write_text(json.dumps(config, default=str))
    write_tokenizer(folder)
    return folder


def release_folder(folder: Path) -> Path:
    """The same model in the layout that the paper's code loads."""
    folder.mkdir(parents=True, exist_ok=True)
    own = {name.removeprefix("thinker."): tensor for name, tensor in released_tensors().items()}
    tower = {k.removeprefix("audio_tower."): v for k, v in own.items() if k.startswith("audio_tower.")}
    torch.save(tower, folder / "audiointeraction_ChunkwisedEncoder.pth")
    lit = {
        "transformer.wte.weight": own["model.embed_tokens.weight"], "transformer.ln_f.weight": own["model.norm.weight"],
        "lm_head.weight": own["lm_head.weight"],
    }  # fmt: skip
    plain = {"input_layernorm": "norm_1", "post_attention_layernorm": "norm_2", "self_attn.o_proj": "attn.proj",
             "mlp.gate_proj": "mlp.fc_1", "mlp.up_proj": "mlp.fc_2", "mlp.down_proj": "mlp.proj"}  # fmt: skip
    for i in range(3):
        at, to = f"model.layers.{i}.", f"transformer.h.{i}."
        for kind in ("weight", "bias"):
            lit[f"{to}attn.qkv.{kind}"] = torch.cat([own[f"{at}self_attn.{n}_proj.{kind}"] for n in "qkv"])
        for theirs, name in plain.items():
            lit[f"{to}{name}.weight"] = own[f"{at}{theirs}.weight"]
    names = sorted(lit)
    save_shards(folder, [{n: lit[n] for n in names[::2]}, {n: lit[n] for n in names[1::2]}])
    (folder / "qwen25OmniConfig").mkdir(exist_ok=True)
    config = {"model_type": "qwen2_5_omni", "thinker_config": thinker().config.to_dict()}
    (folder / "qwen25OmniConfig" / "config.json").write_text(json.dumps(config, default=str))
    write_tokenizer(folder)
    return folder


def change_shard(folder: Path, name: str, change) -> Path:
    """Rewrite the shard that holds `name` as `change` leaves it -> the shard."""
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    path = folder / index["weight_map"][name]
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    return path
