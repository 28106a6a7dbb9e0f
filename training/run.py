"""One training run: stages over one loop, evaluation behind the gate, the best checkpoint, exact resume.

out/
  config.json       the resolved recipe and the commit
  best/             adapter of the stage's best evaluation (mean weights), with config.json and gate.json
  last/             adapter of the last evaluation, likewise
  stages/NAME/      best/ of every finished stage
  last.pt           everything to go on from: weights, optimiser, mean weights, position, best, gate
  log.csv, evaluations.csv, losses.png, gate.png

All that is drawn is a function of the seed and the place (stage, epoch, step, worker), so no generator needs saving.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch

from soundflow.decide.context import Context
from soundflow.errors import ConfigError
from soundflow.tiers import nano
from soundflow.tiers.checkpoint import host_dtype
from soundflow.tiers.kit import Kit
from soundflow.types import Tool
from training import kits
from training import workers as processes
from training.adapters import TrainableLalm
from training.dataset import Item
from training.ema import Ema
from training.evaluate import HeldOut, chosen, prepare, score_held_out
from training.feed import Batch, Feed
from training.folders import move_folder, replace_folder, resolved, tag_calibration
from training.gate import Collapse, Gate, report
from training.loss import compute
from training.progress import Progress
from training.stages import RunConfig, Stage

STATE = "last.pt"
CHUNK_MS = 400
PLAIN = (
    *("number", "step", "stage_step", "epoch", "position", "tokens"),
    *("evaluated", "best", "recent", "spent", "total_spent"),
)
"""Attributes of a run that go into its state as they are."""


class Run:
    """Trains all stages. `resume` first to go on where an earlier process stopped."""

    def __init__(
        self,
        config: RunConfig,
        lm: Path,
        tag_names: Sequence[str],
        tool_sets: Mapping[str, tuple[Tool, ...]],
        say: Callable[[str], None],
        kit: Kit | None = None,
    ) -> None:
        """`lm`, `tag_names`: of the language model and of what is heard. `kit`: of a model that is not nano."""
        self.config, self.labels, self.tool_sets, self.kit = config, tag_names, tool_sets, kit
        self.device = processes.device(config.device)
        self.workers = processes.Workers(self.device)
        self.say: Callable[[str], None] = say if self.workers.first else lambda _: None
        self.out = Path(config.out)
        self.out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        torch.set_num_threads(max(1, config.threads // self.workers.count))
        half = config.bf16 and (self.device.type == "cuda" or host_dtype() is torch.bfloat16)
        dtype = torch.bfloat16 if half else torch.float32
        self.context = kit.context() if kit else Context.load(lm / "tokenizer.json")
        if kit:
            kits.check(kit, config)
        own = kits.trainable(kit, config.adapter, dtype) if kit else TrainableLalm(lm, tag_names, config.adapter, dtype)
        self.model = own.to(self.device)
        if config.start:
            self.model.restore(Path(config.start))
        beside = Path(config.start) if config.start else (kit and kit.folder) or nano.ADAPTER
        self.tags = tag_calibration(beside, len(tag_names) if kit and kit.tier != "nano" else 0)
        self.builder = kits.builder(kit, self.context, tool_sets, tag_names)
        self.progress = Progress(self.out)
        self.gate = Gate(config.patience)
        self.number = self.step = self.stage_step = self.epoch = self.position = self.tokens = 0
        self.evaluated, self.spent, self.total_spent, self.best = -1, 0.0, 0.0, -math.inf
        self.recent: list[list[float]] = []
        self._enter()

    @property
    def stage(self) -> Stage:
        return self.config.stages[self.number]

    def _enter(self) -> None:
        """Free what the stage trains, with an optimiser of its own."""
        stage = self.stage
        groups = self.model.parameter_groups(stage.lora_lr, stage.full_lr, stage.trainable)
        self.free = {k: p for k, p in self.model.named_parameters() if p.requires_grad}
        self.rates = [float(g["lr"]) for g in groups]  # type: ignore[arg-type]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.01, betas=(0.9, 0.98))  # type: ignore[arg-type]
        self.ema = Ema(self.free, stage.ema)

    def rate(self, clock: float) -> float:
        """Learning-rate factor: linear warm-up, cosine to 5 % over the steps or the minutes, whichever end sooner.

        `clock`: share of the stage's minutes that has passed. It counts once it is five points ahead of the steps, so
        that a limit which does not bind leaves the rate a function of the step alone.
        """
        stage = self.stage
        if self.stage_step < stage.warmup_steps:
            return (self.stage_step + 1) / stage.warmup_steps
        by_steps = (self.stage_step - stage.warmup_steps) / max(1, stage.steps - stage.warmup_steps)
        done = min(1.0, max(by_steps, 1.05 * clock - 0.05))
        return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))

    def train(self, data: Mapping[str, Sequence[Item]], cal: Sequence[Item]) -> None:
        """Run to the end. `data`: streams by folder, as the stages name them. `Collapse` where the gate stops it."""
        if len({bool(sample["responses"]) for sample, _ in cal}) < 2:
            raise ConfigError("cal: held-out streams that want a response and such that want none were expected")
        held = prepare(chosen(cal, self.config.eval_streams), self.builder)
        if self.workers.first:
            (self.out / "config.json").write_text(resolved(self.config))
        while True:
            self._train_stage(data, held)
            if self.number + 1 == len(self.config.stages):
                break
            self.workers.wait()
            self.number += 1
            self.model.restore(self.out / "best")
            self.stage_step = self.epoch = self.position = self.tokens = 0
            self.spent, self.best, self.recent = 0.0, -math.inf, []
            self._enter()
            self.save()
        self.workers.close()

    def _train_stage(self, data: Mapping[str, Sequence[Item]], held: HeldOut) -> None:
        stage, c = self.stage, self.config
        builder = kits.builder(self.kit, self.context, self.tool_sets, self.labels, stage.replies, self.tags)
        feed = Feed(stage, data, builder, self.labels, c.seed)
        if c.start and not self.step:
            self.evaluate(held, counted=False)  # what it started from stays the best until something is better
        self.model.train()
        stream = self.workers.groups(feed.stream(self.epoch, self.position), stage.accumulate)
        mark = time.monotonic()
        while self.stage_step < stage.steps and (clock := self.clock()) < 1:
            (epoch, position, _), batches = next(stream)
            self.recent.append(self.update([batch for _, _, batch in batches], clock))
            self.step, self.stage_step, self.epoch, self.position = self.step + 1, self.stage_step + 1, epoch, position
            now = time.monotonic()
            self.spent, self.total_spent, mark = self.spent + now - mark, self.total_spent + now - mark, now
            if self.step % c.log_every == 0:
                self.log()
            if self.step % c.evaluate_every == 0:
                self.evaluate(held)
            elif self.step % c.save_every == 0:
                self.save()
        if self.evaluated != self.step:
            self.evaluate(held)
        if self.workers.first:
            replace_folder(self.out / "best", self.out / "stages" / stage.name)
        self.say(f"stage {stage.name}: {self.stage_step} steps, best merit {self.best:.4f}")

    def clock(self) -> float:
        """Share of the stage's minutes that has passed, by the first worker's clock; 0 without a limit."""
        return self.workers.from_first(self.spent / 60 / self.stage.minutes) if self.stage.minutes else 0.0

    def update(self, batches: Sequence[Batch], clock: float) -> list[float]:
        """One optimiser step -> [decision loss, reply loss, gradient norm, rate factor]."""
        stage = self.stage
        rate = self.rate(clock)
        for group, lr in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = lr * rate
        torch.manual_seed(zlib.crc32(f"{self.config.seed}/{self.step}/{self.workers.rank}".encode()))
        sums = torch.zeros(2, dtype=torch.float64)
        for batch in batches:
            with self.autocast():
                losses = compute(self.model, batch, stage.loss)
            (losses.total / len(batches)).backward()
            sums += torch.tensor([losses.decision, losses.reply]) / (len(batches) * self.workers.count)
            self.tokens += sum(len(s) for s in batch) * self.workers.count
        self.workers.average(self.free.values())
        norm = torch.nn.utils.clip_grad_norm_(self.free.values(), stage.clip)
        if not torch.isfinite(norm):
            raise ConfigError(f"step {self.step}: a finite gradient was expected, got {float(norm)}; lower the rates")
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.ema.update()
        decision, reply = self.workers.summed(sums).tolist()
        return [decision, reply, float(norm), rate]

    def autocast(self) -> AbstractContextManager[Any]:
        """bfloat16 arithmetic on a GPU; the CPU multiplies as the weights are."""
        on = self.device.type == "cuda" and self.model.dtype is torch.bfloat16
        return torch.autocast(self.device.type, torch.bfloat16, enabled=on)

    def log(self) -> None:
        """Means since the last row; a line for the reader at every fifth."""
        decision, reply, norm, rate = (sum(x) / len(self.recent) for x in zip(*self.recent, strict=True))
        self.recent = []
        row = {
            "step": self.step, "stage": self.stage.name, "decision": f"{decision:.7f}", "reply": f"{reply:.7f}",
            "norm": f"{norm:.5f}", "rate": f"{rate:.6f}", "tokens_s": round(self.tokens / max(self.spent, 1e-6)),
            "eta_min": round(self.left() / 60, 1),
        }  # fmt: skip
        if self.workers.first:
            self.progress.log(row)
        if self.step % (5 * self.config.log_every) == 0:
            self.say(
                f"step {self.step}/{self.config.steps} {self.stage.name}  decision {decision:.4f}  reply {reply:.4f}"
                f"  norm {norm:.2f}  {row['tokens_s']} tokens/s  ETA {row['eta_min']} min"
            )

    def left(self) -> float:
        """Seconds to the end at the pace so far, evaluations included."""
        pace = self.total_spent / max(1, self.step)
        found = 0.0
        for number, stage in enumerate(self.config.stages[self.number :]):
            done, spent = (self.stage_step, self.spent) if not number else (0, 0.0)
            steps = (stage.steps - done) * pace
            found += min(steps, max(0.0, stage.minutes * 60 - spent)) if stage.minutes else steps
        return found

    def evaluate(self, held: HeldOut, counted: bool = True) -> None:
        """Report, keep the best, save. The gate warns, then raises `Collapse`, where the evaluation is `counted`."""
        with self.ema.applied():
            with self.autocast():
                found = report(score_held_out(self.model, held, self.workers), self.config.merit)
            if self.workers.first:
                self.say(f"step {self.step}, stage {self.stage.name}: {found}")
                self.progress.evaluated(self.step, self.stage.name, found)
                gate = {"step": self.step, "stage": self.stage.name, **found.as_dict()}
                self._keep("last", gate)
                if found.merit > self.best:
                    replace_folder(self.out / "last", self.out / "best")
        self.best, self.evaluated = max(self.best, found.merit), self.step
        try:
            if counted and (warning := self.gate.check(found, self.step)):
                self.say(warning)
        except Collapse:
            self.save()
            self.workers.close()
            raise
        self.save()

    def _keep(self, name: str, gate: Mapping[str, object]) -> None:
        """An adapter folder with the recipe and the gate's figures."""
        part = self.out / f"{name}.part"
        shutil.rmtree(part, ignore_errors=True)
        said = {"tier": self.kit.tier} if self.kit else {}
        said |= {"step": gate["step"], "stage": gate["stage"], "merit": gate["merit"]}
        self.model.save(part, CHUNK_MS, said)
        (part / "config.json").write_text(resolved(self.config))
        (part / "gate.json").write_text(json.dumps(gate, indent=1) + "\n")
        move_folder(part, self.out / name)

    def save(self) -> None:
        """last.pt, replaced whole."""
        if not self.workers.first:
            return
        state = {
            "model": {k: p.detach() for k, p in self.model.trained().items()},
            "optimizer": self.optimizer.state_dict(),
            "ema": self.ema.state(),
            "collapses": self.gate.collapses,
            **{k: getattr(self, k) for k in PLAIN},
        }
        part = self.out / f"{STATE}.part"
        with part.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.out / STATE)

    def resume(self) -> None:
        """Go on from last.pt, to the same losses as if nothing had happened. ConfigError where there is none."""
        path = self.out / STATE
        if not path.is_file():
            raise ConfigError(f"{path}: the state of a run was expected; `soundflow train CONFIG` starts one")
        state = torch.load(path, map_location="cpu", weights_only=True)
        for key in PLAIN:
            setattr(self, key, state[key])
        self.gate.collapses = state["collapses"]
        with torch.no_grad():
            for name, parameter in self.model.trained().items():
                parameter.copy_(state["model"][name])
        self._enter()
        self.optimizer.load_state_dict(state["optimizer"])
        self.ema.restore(state["ema"])
        if self.workers.first:
            self.progress.back_to(self.step)
