"""Tables of understanding."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.tables import Table, interval, num

Figures = dict[str, Any]
NO_CHOICE: Final = "-"


def multiple(figures: Figures) -> list[Table]:
    """Headline with differences; by task; positions."""
    main, parts, places = [], [], []
    groups = list(next(iter(figures["baselines"].values()))["by_sub-category"])
    for name, f in figures["baselines"].items():
        main.append(["no audio", name, interval(f["accuracy"]), "", "", "", "", ""])
        parts.append(["no audio", name, *(_one(f, g) for g in groups)])
    for system, body in figures["systems"].items():
        for method, f in body["methods"].items():
            minus = f["minus"]
            cells = [interval(minus.get(k)) for k in ("chance", "blind", "tag-rule", "tag-word-rule")]
            circular = interval(f["circular"]) if "circular" in f else "-"
            main.append([system, method, interval(f["accuracy"]), *cells, circular])
            parts.append([system, method, *(_one(f, g) for g in groups)])
            shares = ", ".join(num(s, 2) for s in f["places"]) or "-"
            places.append([system, method, num(f["no_option"]), shares, num(f.get("same"))])
        cut, failed = body["question_cut"], body["failed"]
        if failed or cut:
            main.append([system, f"failed {failed}, question cut {cut}", "", "", "", "", "", ""])
    note = (
        f"{figures['items']} questions, {figures['mean_choices']:g} choices in the mean; without a published answer "
        f"{figures['not_judged']}, answer not among the choices {figures['answer_not_among_choices']}. 95 % bootstrap "
        "over recordings, differences in pairs. blind: the same with silence in place of the audio. gain: "
        "log-likelihood less that behind silence."
    )
    heads = ["system", "method", "accuracy", "minus chance", "minus blind", "minus tag rule", "minus tag-word rule"]
    sizes = [f"{g} ({next(iter(figures['baselines'].values()))['by_sub-category'][g]['items']})" for g in groups]
    return [
        Table("Multiple choice", [*heads, "circular"], main, note),
        Table("By kind of question", ["system", "method", *sizes], parts),
        Table(
            "Positions", ["system", "method", "no option said", "share picked by place", "same in all orders"], places
        ),
    ]


def _one(f: Figures, group: str) -> str:
    part = f["by_sub-category"].get(group)
    return interval(part["accuracy"], 2) if part else NO_CHOICE


def spoken(figures: Figures) -> list[Table]:
    """One row a subset and system."""
    main, rules = [], []
    for subset, body in figures.items():
        rules.append([subset, str(body["items"]), body["rule"]])
        for system, f in body["systems"].items():
            judged = "not judged" if f["asked"] is None else interval(f["asked"])
            alone = "not judged" if f["itself"] is None else interval(f["itself"])
            likely = max((v for v in f.get("likelihood", {}).items()), key=lambda v: v[0] == "per token", default=None)
            more = [f"refused or empty {interval(f['refused_or_empty'])}"] if "refused_or_empty" in f else []
            if f.get("instructions"):
                more.append(f"instructions {interval(f['instructions'])}")
            more += [f"no check {f['instructions_not_judged']}"] if f.get("instructions_not_judged") else []
            main.append(
                [
                    *(subset, system, f"{f['judged']} of {f['items']}", judged, alone),
                    *(interval(likely[1]) if likely else "-", num(body.get("chance")), num(f["answered_itself"])),
                    *(num(f["empty"]), num(f["unread"]), str(f["failed"]), "; ".join(more) or "-"),
                ]
            )
    columns = [
        "subset",
        "system",
        "judged",
        "right",
        "right by itself",
        "by likelihood",
        "chance",
        "answered by itself",
    ]
    note = (
        "Right: its own answer, else what it says when asked to. By likelihood: per token. An error is an empty answer."
    )
    return [
        Table("Spoken questions", [*columns, "empty", "no choice", "failed", "more"], main, note),
        Table(
            "Rules", ["subset", "items", "what counts as right"], rules, "predictions/ holds every answer for a judge."
        ),
    ]
