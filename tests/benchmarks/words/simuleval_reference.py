"""AL and LAAL by SimulEval's own scorers. Runs under REFERENCE_PYTHON; JSON lists in, JSON out."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

from simuleval.evaluator.scorers.latency_scorer import ALScorer, LAALScorer

found = []
for delays, source, target in json.load(sys.stdin):
    one = SimpleNamespace(delays=delays, elapsed=delays, source_length=source, reference="", reference_length=target)
    found.append([ALScorer().compute(one), LAALScorer().compute(one)])
json.dump(found, sys.stdout)
