"""The trainable model: a Hugging Face decoder under PEFT LoRA, the projector and the decision rows in full."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, PreTrainedModel

from soundflow.decide.context import Context
from soundflow.errors import WeightsError
from soundflow.perceive.projector import Projector, tag_embeddings
from soundflow.types import Kind
from training.sequence import IGNORE, TokenSequence

SOUND_WIDTH, SPEECH_WIDTH = 1024, 288
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
DECISION_WORDS = ("silent", "speak", "act")
PARTS = ("lora", "projector", "decision")


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05


def decoder(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    """The language model of a Hugging Face folder, whatever its family. WeightsError where it cannot be read."""
    try:
        found: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, local_files_only=True, trust_remote_code=False, use_safetensors=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise WeightsError(f"{folder}: a language model in safetensors was expected ({error})") from error
    return found


def adapted(base: PreTrainedModel, config: AdapterConfig) -> nn.Module:
    """`base` under LoRA on those matrices of `TARGETS` that it has. WeightsError where it has none."""
    there = {name.rpartition(".")[2] for name, module in base.named_modules() if isinstance(module, nn.Linear)}
    names = [name for name in TARGETS if name in there]
    if not names:
        raise WeightsError(f"{type(base).__name__}: linear layers named as {', '.join(TARGETS)} were expected")
    return get_peft_model(
        base, LoraConfig(r=config.rank, lora_alpha=config.alpha, lora_dropout=config.dropout, target_modules=names)
    )


def embeddings(base: PreTrainedModel) -> Tensor:
    """[V,D] as the first layer gets them: some families multiply the stored table by a constant."""
    table = base.get_input_embeddings()
    weight: Tensor = table.weight.detach()  # type: ignore[union-attr, operator]
    scale = getattr(table, "embed_scale", None)
    return weight if scale is None else weight * torch.as_tensor(scale).to(weight)


class TrainableLalm(nn.Module):
    """Scores a padded batch of `TokenSequence`s. Base weights in bf16 or float32, everything trained in float32."""

    def __init__(
        self,
        lm_folder: Path,
        tag_names: Sequence[str],
        config: AdapterConfig,
        dtype: torch.dtype,
        widths: tuple[int, int] = (SOUND_WIDTH, SPEECH_WIDTH),
    ) -> None:
        """`widths`: of `Features.sound` and `.speech`; nano's by default."""
        super().__init__()
        base = decoder(lm_folder, dtype)
        context = Context.load(lm_folder / "tokenizer.json")
        table = embeddings(base)
        head: Tensor = base.get_output_embeddings().weight.detach()  # type: ignore[union-attr, operator]
        self.config, self.dtype = config, dtype
        self.lm = adapted(base, config)
        self.projector = Projector(tag_embeddings(table, [context.encode(name) for name in tag_names]), *widths)
        words = [context.encode(f" {word}") for word in DECISION_WORDS]
        self.decision_in = nn.Parameter(tag_embeddings(table, words))
        self.decision_out = nn.Parameter(tag_embeddings(head, words))
        self.bias = nn.Parameter(torch.tensor([2.0, 0.0, -1.0]))

    @property
    def inner(self) -> nn.Module:
        model: nn.Module = self.lm.base_model.model
        return model

    @property
    def device(self) -> torch.device:
        return self.bias.device

    def part(self, name: str) -> dict[str, nn.Parameter]:
        """Parameters of one of `PARTS` by their name in the state dict."""
        if name == "lora":
            return {k: p for k, p in self.named_parameters() if "lora_" in k}
        prefixes = {"projector": ("projector.",), "decision": ("decision_", "bias")}[name]
        return {k: p for k, p in self.named_parameters() if k.startswith(prefixes)}

    def trained(self) -> dict[str, nn.Parameter]:
        """Everything that a run may change, frozen in this stage or not: what a state to go on from must hold."""
        return {k: p for name in PARTS for k, p in self.part(name).items()}

    def parameter_groups(
        self, lora_lr: float, full_lr: float, trainable: Sequence[str] = PARTS
    ) -> list[dict[str, object]]:
        """Free the named parts and freeze the others; the optimiser's groups of those that are free."""
        for parameter in self.trained().values():
            parameter.requires_grad_(False)
        groups: list[dict[str, object]] = []
        for name in PARTS:
            if name in trainable:
                free = [p.requires_grad_(True) for p in self.part(name).values()]
                groups.append({"params": free, "lr": lora_lr if name == "lora" else full_lr})
        return groups

    def embed(self, batch: Sequence[TokenSequence]) -> Tensor:
        """-> [B,T,D] in the base dtype."""
        longest, device = max(len(s) for s in batch), self.device
        table = self.inner.get_input_embeddings()  # type: ignore[operator]
        rows = []
        for seq in batch:
            ids = torch.tensor([v if k == "t" else 0 for k, v in zip(seq.kind, seq.value, strict=True)], device=device)
            x = table(ids).float()
            tags, sound, speech = (
                torch.from_numpy(np.concatenate([getattr(f, n) for f in seq.features])).to(device).float()
                for n in ("tags", "sound", "speech")
            )
            audio_at = torch.tensor([i for i, k in enumerate(seq.kind) if k == "a"], device=device)
            asked = None if seq.asked is None else torch.from_numpy(seq.asked).to(device)
            x = x.index_copy(0, audio_at, self.projector(tags, sound, speech, asked).float())
            decisions = [i for i, k in enumerate(seq.kind) if k == "d"]
            if decisions:
                kinds = torch.tensor([seq.value[i] for i in decisions], device=device)
                x = x.index_copy(0, torch.tensor(decisions, device=device), self.decision_in[kinds])
            rows.append(nn.functional.pad(x, (0, 0, 0, longest - len(seq))))
        return torch.stack(rows).to(self.dtype)

    def hidden(self, batch: Sequence[TokenSequence]) -> Tensor:
        """-> [B,T,D] final normalised hidden states under the branch mask."""
        x = self.embed(batch)
        longest = x.shape[1]
        positions = torch.tensor([s.position + [0] * (longest - len(s)) for s in batch], device=x.device)
        mask = torch.stack([visible(s, longest) for s in batch])[:, None].to(x.device)
        additive = torch.zeros(mask.shape, dtype=self.dtype, device=x.device)
        additive.masked_fill_(~mask, torch.finfo(self.dtype).min)
        out: Tensor = self.inner.model(  # type: ignore[operator]
            inputs_embeds=x, attention_mask=additive, position_ids=positions, use_cache=False
        ).last_hidden_state
        return out

    def decision_logits(self, hidden: Tensor) -> Tensor:
        """[..,D] -> [..,K] float32, whatever autocast says."""
        with torch.autocast(hidden.device.type, enabled=False):
            return hidden.float() @ self.decision_out.T + self.bias

    def token_logits(self, hidden: Tensor) -> Tensor:
        head: Tensor = self.inner.lm_head(hidden)  # type: ignore[operator]
        return head.float()

    def restore(self, folder: Path) -> None:
        """Put a saved adapter back, to score or to go on from it. WeightsError where it does not fit."""
        tensors = load_file(folder / "adapter.safetensors")
        own = self.state_dict()
        try:
            for name, value in tensors.items():
                key = name
                if name[:7] in ("lora_A.", "lora_B."):
                    weight = name[7:].removesuffix(".weight")
                    key = f"lm.base_model.model.{weight}.lora_{name[5]}.default.weight"
                else:
                    key = name.replace("decision.bias", "bias").replace("decision.", "decision_")
                own[key].copy_(value)
        except (KeyError, RuntimeError) as error:
            raise WeightsError(f"{folder}: an adapter of this model was expected ({error})") from error

    def save(self, folder: Path, chunk_ms: int, extra: dict[str, object]) -> None:
        """Write adapter.safetensors (float16) and adapter.json; the layout that `soundflow.tiers.checkpoint` reads."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors: dict[str, Tensor] = {}
        for name, value in self.lm.state_dict().items():
            for letter in ("A", "B"):
                if f".lora_{letter}.default.weight" in name:
                    short = name.removeprefix("base_model.model.").replace(f".lora_{letter}.default", "")
                    tensors[f"lora_{letter}.{short}"] = value
        for name, value in self.projector.state_dict().items():
            tensors[f"projector.{name}"] = value
        tensors |= {"decision.in": self.decision_in, "decision.out": self.decision_out, "decision.bias": self.bias}
        half = {k: v.detach().to("cpu", torch.float16).contiguous() for k, v in tensors.items()}
        save_file(half, folder / "adapter.safetensors")
        meta = {"format": 1, "chunk_ms": chunk_ms, "lora": asdict(self.config), "decisions": [k.label for k in Kind]}
        (folder / "adapter.json").write_text(json.dumps({**meta, **extra}, indent=1) + "\n")


def visible(seq: TokenSequence, longest: int) -> Tensor:
    """[T,T] bool: main is causal; a branch sees main [0, seen) and itself; padding sees itself only."""
    n = len(seq)
    branch, seen = torch.tensor(seq.branch), torch.tensor(seq.seen)
    at = torch.arange(n)
    same = branch[:, None] == branch[None, :]
    mask = same & (at[None, :] <= at[:, None])
    mask |= (branch[:, None] > 0) & (branch[None, :] == 0) & (at[None, :] < seen[:, None])
    full = torch.eye(longest, dtype=torch.bool)
    full[:n, :n] = mask
    return full


def targets(
    batch: Sequence[TokenSequence], longest: int, device: torch.device | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """-> decisions [B,T], their weights [B,T], next tokens [B,T]; IGNORE where there is no loss."""
    decision = torch.full((len(batch), longest), IGNORE)
    weight = torch.zeros(len(batch), longest)
    token = torch.full((len(batch), longest), IGNORE)
    for row, seq in enumerate(batch):
        decision[row, : len(seq)] = torch.tensor(seq.decision)
        weight[row, : len(seq)] = torch.tensor(seq.weight)
        token[row, : len(seq)] = torch.tensor(seq.token)
    return decision.to(device), weight.to(device), token.to(device)
