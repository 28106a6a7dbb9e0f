"""What decides the bytes of a build; and which dialogue of which sub-task each place in a block holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from data_builder.corpora.folder import SPLITS
from data_builder.schema import SCHEMA
from data_builder.shards import write_json
from data_builder.subtasks import CONTROLS, SUBTASKS
from soundflow.errors import ConfigError

BLOCK: Final = 56
"""Dialogues of a block, a day of a household: each of 28 sub-tasks twice where the shares are equal."""
MAX_HOURS: Final = 100_000.0
_GOLDEN: Final = 0.6180339887498949
_GROWS: Final = (
    "out", "hours", "audio", "music", "judge", "piper", "kokoro", "ear", "speech", "transcripts", "dialogues",
    "planner", "llm_url", "llm_key_env",
)  # fmt: skip
"""May differ between a build and its resumption: a length, and where on this machine things lie."""


def _equal() -> dict[str, float]:
    return dict.fromkeys(SUBTASKS, 1.0)


@dataclass(frozen=True)
class Plan:
    """`audio`: folders of clips with index.csv. `corpus`, `voices`, `models`, `code`: digests of what is
    used, filled in by `build`.

    music, judge (YAMNet's file), piper, kokoro, ear (folder of the recogniser), speech (cache of utterances),
    transcripts, dialogues (of `soundflow data prepare`), planner (cache of an endpoint's days): paths, "" = none.
    llm: model that plans the days, at `llm_url` with a key out of the environment variable `llm_key_env`.
    shares: weight of each sub-task.
    """

    audio: tuple[str, ...]
    out: str
    hours: float
    seed: int
    split: str = "train"
    shares: Mapping[str, float] = field(default_factory=_equal)
    block: int = BLOCK
    shard_mb: int = 1000
    noncommercial: bool = False
    orders: bool = True
    clean: bool = True
    music: str = ""
    judge: str = ""
    piper: str = ""
    kokoro: str = ""
    ear: str = ""
    speech: str = ""
    transcripts: str = ""
    dialogues: tuple[str, ...] = ()
    llm: str = ""
    llm_url: str = ""
    llm_key_env: str = ""
    planner: str = ""
    corpus: str = ""
    voices: str = ""
    models: str = ""
    code: str = ""

    def __post_init__(self) -> None:
        def need(ok: bool, expected: str, got: Any) -> None:
            if not ok:
                raise ConfigError(f"expected {expected}, got {got!r}")

        need(bool(self.audio), "at least one folder of clips (--audio)", self.audio)
        need(self.split in SPLITS, f"--split of {', '.join(SPLITS)}", self.split)
        need(0 < self.hours <= MAX_HOURS, f"--hours above 0 and up to {MAX_HOURS:g}", self.hours)
        need(1 <= self.block <= 240, "1 to 240 dialogues a block", self.block)
        need(1 <= self.shard_mb <= 100_000, "--shard-mb of 1 to 100000", self.shard_mb)
        known = {*SUBTASKS, *CONTROLS}
        need(set(self.shares) <= known, f"sub-tasks of {', '.join(sorted(known))}", sorted(set(self.shares) - known))
        total = sum(self.shares.values())
        need(all(s >= 0 for s in self.shares.values()) and total > 0, "shares of 0 or more, not all 0", self.shares)

    def identity(self) -> dict[str, Any]:
        """What must not change between a build and its resumption."""
        body = {k: v for k, v in asdict(self).items() if k not in _GROWS}
        given = {k: bool(getattr(self, k)) for k in ("music", "judge", "ear", "transcripts")}
        return {"schema": SCHEMA, **json.loads(json.dumps(body)), "given": given}

    def slots(self, number: int) -> list[tuple[str, bool]]:
        """(sub-task, negative) of each dialogue of block `number`, in order of time.

        Over any run of blocks the count of each sub-task is within two of its share, and that of its negatives too.
        """
        total = sum(self.shares.values())
        made: list[tuple[str, bool]] = []
        for name in sorted(self.shares):
            share, phase = self.block * self.shares[name] / total, _phase(name, self.seed)
            first, last = int(number * share + phase), int((number + 1) * share + phase)
            silent = {**SUBTASKS, **CONTROLS}[name].silent
            made += [(name, (k * _GOLDEN + phase) % 1 < silent) for k in range(first, last)]
        rng = np.random.default_rng([self.seed, SPLITS.index(self.split), number, 3])
        return [made[int(k)] for k in rng.permutation(len(made))]


def _phase(name: str, seed: int) -> float:
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:6], "big") / 2**48


def claim(plan: Plan) -> None:
    """Write the plan's identity into `out`/plan.json; ConfigError where the folder holds another build."""
    path = Path(plan.out) / "plan.json"
    now = plan.identity()
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, now)
        return
    try:
        before = json.loads(path.read_text())
    except ValueError as error:
        raise ConfigError(f"{path}: expected the plan of a build, got no JSON ({error})") from error
    changed = [k for k in sorted(set(now) | set(before)) if now.get(k) != before.get(k)]
    if changed:
        what = "; ".join(f"{k}: was {before.get(k)!r}, now {now.get(k)!r}" for k in changed)
        raise ConfigError(f"{plan.out} holds another build ({what}); use an empty folder")


def read_removed(out: Path) -> list[str]:
    """Ids of recordings, speakers and dialogues that were removed from a build (see `data_builder.remove`)."""
    path = out / "removed.json"
    if not path.is_file():
        return []
    body = json.loads(path.read_text())
    return [str(x) for x in body]


def digest(rows: Sequence[str]) -> str:
    """Short sha256 of lines in order."""
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]
