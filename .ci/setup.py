"""`make setup`: the virtual environment of the project, also on a bare CPU machine. Standard library only.

TORCH_SPEC chooses the torch that is installed (for example TORCH_SPEC='torch==2.9.1', or a local wheel). Without it, a
machine with an NVIDIA driver gets plain `torch`, and one without gets CPU_TORCH, which pip takes as a CPU build where
one is offered to it, and as the ordinary large build elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
VENV = REPO / ".venv"
STAMP = VENV / ".soundflow-setup"
CPU_TORCH = "torch==2.13.0"
ANY_TORCH = "torch>=2.6"
EXTRAS = "voice,data,train,bench,serve,redis,otel,ray,audio,dev"


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def has_nvidia_driver() -> bool:
    tool = shutil.which("nvidia-smi")
    return bool(tool) and subprocess.run([tool], capture_output=True, check=False).returncode == 0


def torch_specs(chosen: str, nvidia: bool) -> list[str]:
    """What to try to install, in order."""
    if chosen:
        return [chosen]
    return ["torch"] if nvidia else [CPU_TORCH, ANY_TORCH]


def fingerprint(spec: str) -> str:
    """Changes when anything does that this script depends on."""
    parts = [(REPO / "pyproject.toml").read_bytes(), Path(__file__).read_bytes()]
    parts += [spec.encode(), sys.version.encode(), str(REPO).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def mend_torchaudio(site: Path, cuda_torch: bool, imports: Callable[[], bool]) -> list[Path]:
    """Make a torchaudio beside a CPU torch importable by removing its compiled libraries; returns what was removed.

    The last torchaudio has no CPU wheel: its libraries ask for CUDA ones, its import fails, and transformers, which
    imports it when it is there, fails with it. Its Python part works without them. A CUDA install is left alone.
    """
    libraries = sorted((site / "torchaudio" / "lib").glob("*.so"))
    if not (site / "torchaudio").is_dir() or imports():
        return []
    if cuda_torch:
        say("torchaudio cannot be imported beside a CUDA torch; it was left alone, reinstall it to match torch")
        return []
    for library in libraries:
        library.unlink()
    if libraries:
        say(
            "torchaudio has no CPU build: removed its compiled libraries so that it can be imported "
            f"({', '.join(p.name for p in libraries)})"
        )
    if not imports():
        say("torchaudio still cannot be imported; `pip uninstall torchaudio` if transformers fails")
    return libraries


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([VENV / "bin" / "python", *arguments], capture_output=True, text=True, check=False)


def pip(*arguments: str) -> bool:
    command = [VENV / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "-qq", *arguments]
    return subprocess.run(command, cwd=REPO, check=False).returncode == 0


def make_venv() -> None:
    if (VENV / "bin" / "python").exists():
        return
    say(f"making {VENV.name} with Python {sys.version.split()[0]}")
    try:
        venv.create(VENV, with_pip=True)
    except subprocess.CalledProcessError:
        sys.exit("setup: this Python cannot make a virtual environment; on Debian install the package python3-venv")


def install(specs: list[str]) -> None:
    if not pip("--upgrade", "pip"):
        say("pip could not be upgraded; going on with the one that is there")
    say(f"installing {specs[0]} (a build with CUDA is several GB; choose another with TORCH_SPEC=...)")
    if not any(pip(spec) for spec in specs):
        sys.exit("setup: torch could not be installed (see pip's message above); set TORCH_SPEC to one that can")
    say(f"installing soundflow[{EXTRAS}]")
    if not pip("--editable", f".[{EXTRAS}]"):
        sys.exit("setup: the dependencies could not be installed (see pip's message above)")


def main() -> None:
    nvidia = has_nvidia_driver()
    specs = torch_specs(os.environ.get("TORCH_SPEC", "").strip(), nvidia)
    wanted = fingerprint(specs[0])
    if not (STAMP.exists() and STAMP.read_text() == wanted and (VENV / "bin" / "soundflow").exists()):
        make_venv()
        install(specs)
        cuda = python("-c", "import torch; print(torch.version.cuda or '')").stdout.strip()
        site = Path(python("-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").stdout.strip())
        mend_torchaudio(site, bool(cuda), lambda: python("-c", "import torchaudio").returncode == 0)
        STAMP.write_text(wanted)
        say(f"done, torch for {'CUDA ' + cuda if cuda else 'the CPU'}")
    if shutil.which("espeak-ng") is None:
        say("espeak-ng is not installed: the fallback voice needs it (Debian: apt-get install espeak-ng)")


if __name__ == "__main__":
    main()
