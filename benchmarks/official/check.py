"""`bench contamination`: a test set's audio against the fingerprints of training, and the making of these."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import instances, runs
from benchmarks.official import contamination, pins, show
from benchmarks.official.formats import file_sha, write_lines
from benchmarks.official.lookup import Prints
from benchmarks.runs import Options, Result
from soundflow.tiers import nano


def run_contamination(o: Options, test: Path, prints: Path | None = None) -> Result:
    """Every audio file under `test` against training; a row each in `o.out`/matches.jsonl.

    `prints`: a store (`write_prints`); else with `o.audio` the train rows of its index.csv, else the store that ships.
    """
    if prints is None and o.audio is not None:
        names, words, heard = contamination.of_train(o.audio, _ticker("fingerprints of training"))
        about: dict[str, Any] = {"recordings": len(names)} | contamination.describe(o.audio, words)
        store, config = Prints(names, words, heard), {"of": "index.csv", "sha256": about["index_sha256"]}
    else:
        path = prints or contamination.SHIPPED
        store, about = contamination.load(path)
        config = {"of": path.name, "sha256": file_sha(path)}
    instances.check_config(o.out, {"bench": "contamination", "prints": config})
    rows = list(contamination.check(store, test, _ticker("looked up")))
    sha = write_lines(o.out / "matches.jsonl", rows)
    counts = {s: sum(r["state"] == s for r in rows) for s in ("same", "other", "too little", "unreadable")}
    body = {"clips": len(rows), **counts, "about": about, "matches_sha256": sha, "versions": pins.versions()}
    shown = [*show.contamination(rows, about), pins.table(body["versions"], {"the clips": sha}, "matches")]
    return runs.finish("contamination", o, rows, body, (), shown)


def write_prints(audio: Path, out: Path, adapter: Path | None = None) -> dict[str, Any]:
    """Fingerprints of the train rows of `audio`/index.csv into `out`, with the adapter that was trained on them."""
    names, words, heard = contamination.of_train(audio, _ticker("fingerprints of training"))
    shown = runs.identity(adapter or nano.ADAPTER)["sha256"]
    about = contamination.describe(audio, words, adapter=shown)
    contamination.save(out, names, words, heard, about)
    return {"recordings": len(names), "bytes": out.stat().st_size, "sha256": file_sha(out)} | about


def _ticker(what: str) -> contamination.Tick:
    """A line on stderr every 15 seconds, with what is left at this pace."""
    began = said = time.monotonic()

    def tick(done: int, of: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= 15.0 or done == of:
            said = now
            left = (now - began) * (of - done) / max(done, 1)
            print(f"{what}  {done} of {of}, about {left:.0f} s left", file=sys.stderr)

    return tick
