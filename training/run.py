"""One training run: data, batches, optimiser, evaluation, the best checkpoint, resume."""

from __future__ import annotations

import csv
import json
import math
import random
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import yaml

from soundflow.decide.context import Context
from soundflow.errors import ConfigError
from soundflow.types import Tool
from training.adapters import AdapterConfig, TrainableLalm
from training.augment import perturbed, without_embedding
from training.dataset import Item, batches, epoch
from training.evaluate import report, score
from training.features import Features
from training.loss import LossConfig, compute
from training.sequence import SequenceBuilder
from training.tag_streams import TagStreams
from training.workers import Workers


@dataclass(frozen=True, slots=True)
class RunConfig:
    """One YAML file. `minutes` bounds the wall time; `bf16` asks for bfloat16 base weights.

    `start`: adapter to go on from. `tag_streams`: tag-only streams an epoch. `embedding_dropout`: share of real streams
    that lose their sound embedding; `perturb`: share that are perturbed (training/augment.py). `ask`: share of the
    streams with variants that are played under one. `replies`: share of sound alerts whose reply text is trained.
    """

    out: str
    train: tuple[str, ...]
    cal: tuple[str, ...]
    transcripts: str = ""
    start: str = ""
    tag_streams: int = 0
    embedding_dropout: float = 0.0
    perturb: float = 0.0
    ask: float = 0.3
    replies: float = 0.6
    seed: int = 0
    minutes: float = 45.0
    tokens_per_step: int = 1200
    lora_lr: float = 4e-4
    full_lr: float = 1e-3
    warmup_steps: int = 20
    expected_steps: int = 600
    clip: float = 1.0
    evaluate_every: int = 100
    eval_streams: int = 240
    bf16: bool = True
    threads: int = 2
    adapter: AdapterConfig = field(default_factory=AdapterConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    @staticmethod
    def load(path: Path) -> RunConfig:
        """Strict: an unknown key names file and key."""
        raw = yaml.safe_load(path.read_text())
        known = set(RunConfig.__dataclass_fields__)
        if not isinstance(raw, dict) or set(raw) - known:
            odd = sorted(set(raw) - known)[0] if isinstance(raw, dict) else "not a mapping"
            raise ConfigError(f"{path}: unknown key {odd!r}")
        nested = {"adapter": AdapterConfig, "loss": LossConfig}
        try:
            for name, kind in nested.items():
                if name in raw:
                    values = {k: tuple(v) if isinstance(v, list) else v for k, v in raw[name].items()}
                    raw[name] = kind(**values)
            return RunConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()})
        except TypeError as error:
            raise ConfigError(f"{path}: {error}") from error


class Run:
    """Trains until `minutes` or `expected_steps` are over; keeps `last.pt` (resume) and `best/` (adapter)."""

    def __init__(
        self, config: RunConfig, lm: Path, tag_names: Sequence[str], tool_sets: dict[str, tuple[Tool, ...]], say:
        Callable[[str], None]
    ) -> None:  # fmt: skip
        self.config, self.say = config, say
        self.out = Path(config.out)
        self.out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        torch.set_num_threads(config.threads)
        self.builder = SequenceBuilder(Context.load(lm / "tokenizer.json"), tool_sets, tag_names, config.replies)
        self.model = TrainableLalm(lm, tag_names, config.adapter, torch.bfloat16 if config.bf16 else torch.float32)
        if config.start:
            self.model.restore(Path(config.start))
        self.labels = tag_names
        groups = self.model.parameter_groups(config.lora_lr, config.full_lr)
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.01, betas=(0.9, 0.98))  # type: ignore[arg-type]
        self.step, self.epochs, self.best = 0, 0, -math.inf
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False
        ).stdout.strip()
        resolved = {**asdict(config), "commit": commit}
        (self.out / "config.json").write_text(json.dumps(resolved, indent=1) + "\n")

    def rate(self, spent: float) -> float:
        """Learning-rate factor: linear warm-up, cosine to 5 % over the steps or the minutes, whichever end sooner.

        `spent`: share of `minutes` that has passed. A run that the clock ends is annealed too; one that must be
        repeated to the bit needs `minutes` well above what it takes.
        """
        c = self.config
        if self.step < c.warmup_steps:
            return (self.step + 1) / c.warmup_steps
        done = min(1.0, max(spent, (self.step - c.warmup_steps) / max(1, c.expected_steps - c.warmup_steps)))
        return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))

    def train(self, train: Sequence[Item], cal: Sequence[Item]) -> None:
        """Run to the end. A collapse at the second evaluation or later stops it with a clear message."""
        c, started = self.config, time.monotonic()
        rng = random.Random(c.seed + self.epochs)
        held_out = list(cal)[:: max(1, len(cal) // c.eval_streams)][: c.eval_streams]
        workers = Workers()
        made = TagStreams(self.labels, train) if c.tag_streams else None
        self.model.train()
        base = [float(g["lr"]) for g in self.optimizer.param_groups]
        evaluations, tokens = 0, 0
        while True:
            items = [(s, self.heard(f, rng)) for s, f in train]
            items += [made.draw(rng, n) for n in range(c.tag_streams)] if made else []
            for batch in workers.share(
                list(batches(epoch(items, self.builder, rng, ask=c.ask), c.tokens_per_step, rng))
            ):
                minutes = (time.monotonic() - started) / 60
                if workers.agree(minutes > c.minutes or self.step >= c.expected_steps):
                    if workers.first:
                        self.evaluate(held_out)
                    workers.wait()
                    return
                for group, lr in zip(self.optimizer.param_groups, base, strict=True):
                    group["lr"] = lr * self.rate(minutes / c.minutes)
                losses = compute(self.model, batch, c.loss)
                losses.total.backward()
                workers.average(p for p in self.model.parameters() if p.requires_grad)
                norm = torch.nn.utils.clip_grad_norm_([p for p in self.model.parameters() if p.requires_grad], c.clip)
                self.optimizer.step()
                self.optimizer.zero_grad(set_to_none=True)
                self.step += 1
                tokens += sum(len(s) for s in batch)
                if self.step % 10 == 0 and workers.first:
                    spent = max(1e-6, (time.monotonic() - started) / 60)
                    left = min(c.minutes - spent, (c.expected_steps - self.step) * spent / self.step)
                    self.log(
                        {
                            "step": self.step, "decision": round(losses.decision, 4), "reply": round(losses.reply, 4),
                            "norm": round(float(norm), 2), "tokens_s": round(tokens * workers.count / spent / 60),
                            "eta_min": round(left, 1),
                        }
                    )  # fmt: skip
                if self.step % c.evaluate_every == 0:
                    evaluations += 1
                    collapsed = workers.agree(workers.first and self.evaluate(held_out))
                    if collapsed and evaluations > 1:
                        raise ConfigError(
                            "training fell to a trivial baseline; see log.csv (lower the rates or add data)"
                        )
            self.epochs += 1

    def heard(self, features: Features, rng: random.Random) -> Features:
        """The features as this epoch hears them: as they are, perturbed, or without the sound embedding."""
        if rng.random() < self.config.embedding_dropout:
            return without_embedding(features)
        if rng.random() < self.config.perturb:
            return perturbed(features, np.random.default_rng(rng.getrandbits(32)))
        return features

    def evaluate(self, held_out: Sequence[Item]) -> bool:
        """Report, keep the best, save for resume. True where the model has collapsed to a baseline."""
        found = report(score(self.model, held_out, self.builder))
        self.say(f"step {self.step}: {found}")
        merit = found.balanced_accuracy + 0.5 * found.area
        if merit > self.best:
            self.best = merit
            self.model.save(self.out / "best", 400, {"step": self.step, "held_out": str(found)})
        self.model.save(self.out / "last", 400, {"step": self.step, "held_out": str(found)})
        state = {
            "model": {k: v for k, v in self.model.state_dict().items() if "lora_" in k or not k.startswith("lm.")},
            "optimizer": self.optimizer.state_dict(), "step": self.step, "epochs": self.epochs, "best": self.best,
            "torch_rng": torch.get_rng_state(),
        }  # fmt: skip
        part = self.out / "last.part.pt"
        torch.save(state, part)
        part.replace(self.out / "last.pt")
        return found.collapsed

    def resume(self) -> None:
        """Go on from `last.pt` (the next epoch's order is drawn afresh from the seed and the epochs done)."""
        state = torch.load(self.out / "last.pt", weights_only=True)
        self.model.load_state_dict(state["model"], strict=False)
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.epochs, self.best = state["step"], state["epochs"] + 1, state["best"]
        torch.set_rng_state(state["torch_rng"])

    def log(self, row: dict[str, float]) -> None:
        path = self.out / "log.csv"
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, row)
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        if self.step % 50 == 0:
            self.say("  ".join(f"{k} {v}" for k, v in row.items()))
