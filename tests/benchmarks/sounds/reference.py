"""What sed_eval and sed_scores_eval say. Runs under REFERENCE_PYTHON: JSON of cases in, of figures out."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import sed_eval
from sed_scores_eval.base_modules.scores import create_score_dataframe
from sed_scores_eval.intersection_based import psds


def listed(file: str, events: list[Any]) -> list[dict[str, Any]]:
    return [{"filename": file, "onset": a, "offset": b, "event_label": c} for c, a, b in events]


def counted(case: dict[str, Any]) -> dict[str, Any]:
    """F1 of each class and their mean, by events and by segments."""
    found = {}
    for name, maker in {
        "event": lambda labels: sed_eval.sound_event.EventBasedMetrics(
            labels,
            t_collar=case["collar"],
            percentage_of_length=case["share"],
            evaluate_offset=case["offset"],
            event_matching_type="optimal",
        ),
        "segment": lambda labels: sed_eval.sound_event.SegmentBasedMetrics(labels, time_resolution=case["size"]),
    }.items():
        metrics = maker(case["labels"])
        for k, stream in enumerate(case["streams"]):
            more = {"evaluated_length_seconds": stream["seconds"]} if name == "segment" else {}
            file = f"{k}.wav"
            metrics.evaluate(listed(file, stream["truth"]), listed(file, stream["told"]), **more)
        each = metrics.results_class_wise_metrics()
        average = metrics.results_class_wise_average_metrics()["f_measure"]["f_measure"]
        micro = metrics.results_overall_metrics()["f_measure"]["f_measure"] if name == "segment" else None
        found[name] = {
            "f1": [each[c]["f_measure"]["f_measure"] for c in case["labels"]],
            "counts": [[metrics.class_wise[c][k] for k in ("Ntp", "Nref", "Nsys")] for c in case["labels"]],
            "macro": average,
            "micro": micro,
        }
    return found


def scored(case: dict[str, Any]) -> dict[str, Any]:
    """PSDS, of all classes and of each, and the PSD-ROC."""
    labels = case["labels"]
    scores, truth, durations = {}, {}, {}
    for k, stream in enumerate(case["streams"]):
        edges = np.array(stream["edges"])
        scores[str(k)] = create_score_dataframe(np.array(stream["scores"]), edges, labels)
        truth[str(k)] = [(a, b, c) for c, a, b in stream["truth"]]
        durations[str(k)] = stream["seconds"]
    value, each, (tpr, efpr), _ = psds(
        scores=scores,
        ground_truth=truth,
        audio_durations=durations,
        dtc_threshold=case["dtc"],
        gtc_threshold=case["gtc"],
        cttc_threshold=case["cttc"],
        alpha_ct=case["alpha_ct"],
        alpha_st=case["alpha_st"],
        max_efpr=case["max_efpr"],
    )
    return {"psds": value, "each": [each[c] for c in labels], "tpr": tpr.tolist(), "efpr": efpr.tolist()}


if __name__ == "__main__":
    cases = json.load(sys.stdin)
    json.dump({"counts": [counted(c) for c in cases["counts"]], "psds": [scored(c) for c in cases["psds"]]}, sys.stdout)
