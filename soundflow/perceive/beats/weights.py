"""Checkpoint files of BEATs and OpenBEATs -> architecture, tensors by their published names, and labels.

Files are read without running code: `weights_only=True`, safetensors, `safe_load`.
"""

from __future__ import annotations

import json
import os
import pickle
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
import yaml
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.beats.config import BeatsConfig

Read = tuple[BeatsConfig, dict[str, Tensor], tuple[str, ...]]

_NAMED: Final = 6
_SHARED_BIAS: Final = re.compile(r"encoder\.layers\.([1-9]\d*)\.self_attn\.relative_attention_bias\.weight")
_FIRST_BIAS: Final = "encoder.layers.0.self_attn.relative_attention_bias.weight"
_RENAMED: Final = {
    "encoder.pos_conv.0.parametrizations.weight.original0": "encoder.pos_conv.0.weight_g",
    "encoder.pos_conv.0.parametrizations.weight.original1": "encoder.pos_conv.0.weight_v",
}
"""How newer torch names the two parts of a weight-normalised convolution."""
_CONSTANT: Final = frozenset({"patch_embedding_pad.weight", "raw2fbank_pad.weight"})
"""Ones with which OpenBEATs counts padding."""
_HEADS: Final = ("decoder.linear_out.", "classifier.", "head.", "output_layer.")
"""Where ESPnet's models keep their classes."""
_PLAIN_ESPNET: Final[dict[str, tuple[object, ...]]] = {
    "downsampling_rate": (None, 1),
    "adapter_config": (None, ""),
    "use_weighted_representation": (None, False),
    "add_positional_information": (None, False),
    "max_layer": (None,),
}
"""Parts of ESPnet's encoder that are not computed here, and the values that leave them out."""


def read_checkpoint(path: Path, base: BeatsConfig | None) -> Read:
    """What `Beats.load` reads."""
    if not path.is_file():
        raise WeightsError(f"{path}: expected a BEATs checkpoint, found no file")
    if path.suffix == ".safetensors":
        return _read_safetensors(path, base)
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:  # torch's own text says how to run what is in it
        raise WeightsError(
            f"{path}: expected a file that torch reads with weights_only=True: it is damaged, or holds more than"
            " tensors and plain values"
        ) from error
    except Exception as error:  # of a damaged file torch's reader lets errors of every kind through
        said = (str(error) or type(error).__name__).splitlines()[0]
        raise WeightsError(f"{path}: expected a file that torch reads with weights_only=True: {said}") from error
    if not isinstance(held, Mapping):
        raise WeightsError(f"{path}: expected a mapping with 'cfg' and 'model', got {type(held).__name__}")
    if "cfg" in held or "model" in held:
        missing = [key for key in ("cfg", "model") if not isinstance(held.get(key), Mapping)]
        if missing:
            raise WeightsError(f"{path}: expected mappings 'cfg' and 'model', {' and '.join(missing)} is not there")
        config = BeatsConfig.read(held["cfg"], str(path))
        tensors = _published(_tensors(held["model"], path), path)
        return config, tensors, _labels(held.get("label_dict", held.get("token_list")), config, path)
    return _read_espnet(path, _tensors(held, path), base)


def fill(model: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Give a model on the meta device its weights; WeightsError names what is missing, left over or wrong."""
    expected = model.state_dict()
    shapes = [
        f"{name} {list(expected[name].shape)} was expected, got {list(tensors[name].shape)}"
        for name in expected
        if name in tensors and expected[name].shape != tensors[name].shape
    ]
    wrong = {
        "missing": [name for name in expected if name not in tensors],
        "left over": [name for name in tensors if name not in expected],
        "of another shape": shapes,
        "not finite": [name for name in expected if name in tensors and not bool(tensors[name].isfinite().all())],
    }
    said = [f"{len(names)} {what}: {_some(names)}" for what, names in wrong.items() if names]
    if said:
        raise WeightsError(f"{path}: expected the tensors of a BEATs of its cfg; {'; '.join(said)}")
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, assign=True)


def write_safetensors(path: Path, tensors: Mapping[str, Tensor], names: Mapping[str, str]) -> None:
    """One safetensors file with `names` as its metadata; the file is whole or not there."""
    held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    part = path.with_name(path.name + ".part")
    save_file(held, part, dict(names))
    os.replace(part, path)


def _read_safetensors(path: Path, base: BeatsConfig | None) -> Read:
    try:
        with safe_open(path, framework="pt") as file:
            names = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        cfg, labels = json.loads(names.get("beats", "null")), json.loads(names.get("labels", "null"))
    except (OSError, SafetensorError, ValueError) as error:
        raise WeightsError(f"{path}: expected a safetensors file with readable metadata: {error}") from error
    if cfg is None and base is None:
        raise ConfigError(f"{path}: no architecture in its metadata: give it as `base`")
    config = base if cfg is None and base is not None else BeatsConfig.read(cfg, str(path))
    return config, _published(tensors, path), _labels(labels, config, path)


def _read_espnet(path: Path, held: dict[str, Tensor], base: BeatsConfig | None) -> Read:
    """Bare weights: those of the encoder alone, or an ESPnet model with `config.yaml` beside it."""
    settings = _settings(path.parent / "config.yaml")
    encoder = _mapping(settings.get("encoder_conf"))
    for key, plain in _PLAIN_ESPNET.items():
        if encoder.get(key) not in plain:
            raise ConfigError(
                f"{path.parent / 'config.yaml'}: encoder_conf: {key} {encoder[key]!r} is not computed here"
            )
    own = _mapping(encoder.get("beats_config")) | {k: encoder[k] for k in ("fbank_mean", "fbank_std") if k in encoder}
    if base is None and not {"encoder_layers", "encoder_embed_dim", "deep_norm"} <= own.keys():
        raise ConfigError(
            f"{path}: no 'cfg' in it and no whole beats_config beside it: give the architecture as `base`"
        )
    config = BeatsConfig.read({**(base.values() if base else {}), **own}, str(path))
    bare = not any(name.startswith("encoder.patch_embedding.") for name in held)
    if bare:
        tensors = held
    else:
        tensors = {name.removeprefix("encoder."): t for name, t in held.items() if name.startswith("encoder.")}
        tensors |= _head(held, config.encoder_embed_dim)
        others = ("encoder.", "decoder.", *_HEADS)  # a decoder without a head is that of pre-training
        tensors |= {name: t for name, t in held.items() if not name.startswith(others)}
    if "predictor.weight" in tensors:
        pooling = _mapping(settings.get("decoder_conf")).get("pooling", "mean")
        if pooling != "mean":
            raise ConfigError(f"{path.parent / 'config.yaml'}: decoder_conf: pooling {pooling!r} is not computed here")
        kind = _mapping(settings.get("model_conf")).get("classification_type", "multi-class")
        classes = len(tensors["predictor.weight"])
        config = replace(
            config, finetuned_model=True, predictor_class=classes, multi_label=bare or kind == "multi-label"
        )
    else:
        config = replace(config, finetuned_model=False)
    return config, _published(tensors, path), _labels(settings.get("token_list"), config, path)


def _head(held: Mapping[str, Tensor], width: int) -> dict[str, Tensor]:
    """`predictor.weight` and `predictor.bias` under whatever name an ESPnet model has them."""
    for head in _HEADS:
        weight = held.get(f"{head}weight")
        if weight is not None and weight.dim() == 2 and weight.shape[1] == width:
            bias = held.get(f"{head}bias", weight.new_zeros(len(weight)))
            return {"predictor.weight": weight, "predictor.bias": bias}
    return {}


def _settings(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return _mapping(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: a readable YAML file was expected: {error}") from error


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _tensors(held: object, path: Path) -> dict[str, Tensor]:
    """`held` where it maps names to tensors, else WeightsError."""
    items = list(held.items()) if isinstance(held, Mapping) else []
    strange = [f"{key!r} ({type(value).__name__})" for key, value in items if not isinstance(value, Tensor)]
    if strange or not items:
        raise WeightsError(f"{path}: expected tensors by name, got {_some(strange) or 'nothing'}")
    return {str(key): value for key, value in items}


def _published(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The same tensors under the published names, without copies of the shared bias table and without constants."""
    found = {_RENAMED.get(name, name): tensor for name, tensor in tensors.items() if name not in _CONSTANT}
    for name in [name for name in found if _SHARED_BIAS.fullmatch(name)]:
        first = found.get(_FIRST_BIAS)
        if first is not None and not torch.equal(found[name], first):
            raise WeightsError(f"{path}: {name} was expected to equal {_FIRST_BIAS}: the table is shared by all layers")
        if first is not None:
            del found[name]
    return found


def _labels(held: object, config: BeatsConfig, path: Path) -> tuple[str, ...]:
    """One a class: of a mapping from class numbers, or of a list (ESPnet's has others behind the classes)."""
    if held is None or not config.finetuned_model:
        return ()
    classes = config.predictor_class
    if isinstance(held, Mapping):
        by_number = {int(key): value for key, value in held.items() if str(key).isdecimal()}
        named = [by_number[i] for i in range(classes) if i in by_number]
    else:
        named = list(held)[:classes] if isinstance(held, Sequence) and not isinstance(held, str) else []
    if len(named) != classes or not all(isinstance(name, str) for name in named):
        raise WeightsError(f"{path}: a label for each of {classes} classes was expected, got {len(named)}")
    return tuple(named)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
