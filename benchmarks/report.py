"""report.md, report.html (one self-contained page) and figures.json of a run."""

from __future__ import annotations

import base64
import html
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import files
from benchmarks.tables import Table
from soundflow import __version__

STYLE = """
:root { color-scheme: light }
body { font: 15px/1.5 system-ui, sans-serif; color: #1d2733; margin: 2rem auto; max-width: 1080px; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .2rem }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; border-bottom: 1px solid #e3e7eb }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem } .wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .86rem }
th, td { padding: .22rem .6rem; text-align: right; border-bottom: 1px solid #e3e7eb; white-space: nowrap }
th:first-child, td:first-child, .words { text-align: left }
.words { white-space: normal; min-width: 16rem } th { color: #66727f; font-weight: 600 }
.note, .facts { color: #66727f; font-size: .85rem } figure { margin: .8rem 0 } img { max-width: 100%; height: auto }
figcaption { color: #66727f; font-size: .85rem }
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG with what it shows."""

    name: str
    caption: str
    png: bytes


@dataclass(frozen=True, slots=True)
class Section:
    """Tables and pictures of one benchmark."""

    title: str
    tables: Sequence[Table]
    pictures: Sequence[Picture] = ()


def machine() -> dict[str, Any]:
    """The machine in words: processor, cores that may be used, memory, system, Python."""
    cpu = platform.processor() or platform.machine()
    info, memory = Path("/proc/cpuinfo"), 0.0
    if info.is_file():
        named = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = named[0] if named else cpu
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    system = f"{platform.system()} {platform.release()}"
    return {
        "cpu": cpu,
        "cores": cores,
        "memory_gib": round(memory, 1),
        "system": system,
        "python": platform.python_version(),
    }


def commit() -> str:
    """The commit of the checkout, with "+" where it has changes; "" outside of one."""
    root = Path(__file__).resolve().parents[1]

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        head = git("rev-parse", "--short=12", "HEAD")
        return head + ("+" if head and git("status", "--porcelain", "--untracked-files=no") else "")
    except OSError:
        return ""


def facts(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a figure cannot be read without."""
    return {"soundflow": __version__, "commit": commit(), "machine": machine(), "config": dict(config)}


def write(
    out: Path, title: str, sections: Sequence[Section], figures: Mapping[str, Any], about: Mapping[str, Any]
) -> None:
    """figures.json, report.md, report.html and the pictures into `out`."""
    body = {"about": about, "figures": figures}
    files.write(out / "figures.json", json.dumps(body, indent=1, default=str))
    lines = [f"# {title}", "", f"`{json.dumps(about, default=str)}`", ""]
    page = [f"<h1>{html.escape(title)}</h1>", f"<p class=facts>{html.escape(_line(about))}</p>"]
    for section in sections:
        lines += [f"## {section.title}", ""]
        page.append(f"<h2>{html.escape(section.title)}</h2>")
        for table in section.tables:
            lines += [table.markdown()]
            page.append(table.html())
        for picture in section.pictures:
            files.write(out / f"{picture.name}.png", picture.png)
            lines += [f"![{picture.caption}]({picture.name}.png)", ""]
            data = base64.b64encode(picture.png).decode()
            words = html.escape(picture.caption)
            image = f'<img alt="{words}" src="data:image/png;base64,{data}">'
            page.append(f"<figure>{image}<figcaption>{words}</figcaption></figure>")
    config = html.escape(json.dumps(about, indent=1, default=str))
    page.append(f"<h2>Configuration</h2><pre class=facts>{config}</pre>")
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(title)}</title><style>{STYLE}</style>"
    viewport = '<meta name=viewport content="width=device-width, initial-scale=1">'
    files.write(out / "report.html", (head + viewport + "<body>" + "\n".join(page) + "</body></html>\n"))
    files.write(out / "report.md", "\n".join(lines))


def show(sections: Sequence[Section]) -> None:
    """The tables on the terminal."""
    console = Console(width=None if Console().is_terminal else 200)
    for section in sections:
        for table in section.tables:
            console.print(table.rich())


def _line(about: Mapping[str, Any]) -> str:
    m = about["machine"]
    where = f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}, Python {m['python']}"
    return f"SoundFlow {about['soundflow']}, commit {about['commit'] or 'unknown'}; {where}"
