"""Adapters are added checked, switched atomically, and rolled back."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from serving.build import adapter_folder
from serving.config import Config
from serving.versions import BUILTIN, Store, app
from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.named import NamedSounds
from soundflow.tiers.nano import ADAPTER


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("SOUNDFLOW_HOME", str(tmp_path / "home"))
    return Store()


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """A copy of the shipped adapter."""
    return Path(shutil.copytree(ADAPTER, tmp_path / "mine"))


def test_nothing_installed_is_the_built_in(store: Store) -> None:
    assert store.current_folder() is None
    assert [(v.name, v.current) for v in store.list()] == [(BUILTIN, True)]
    with pytest.raises(ConfigError, match="no version was used before"):
        store.rollback()


def test_add_use_and_roll_back(store: Store, adapter: Path) -> None:
    assert store.add(adapter) == "mine"
    assert store.current == BUILTIN
    store.add(adapter, "other")
    store.use("mine")
    store.use("other")
    store.use("other")
    assert (store.current, store.previous) == ("other", "mine")
    assert store.current_folder() == store.root / "other"
    assert store.rollback() == "mine"
    assert store.rollback() == "other"
    store.use(BUILTIN)
    assert store.current_folder() is None
    assert {p.name for p in store.root.iterdir() if p.name.startswith(".")} == {".lock"}


def test_the_configuration_picks(store: Store, adapter: Path) -> None:
    store.add(adapter)
    assert adapter_folder(Config()) is None
    assert adapter_folder(Config(adapter="mine")) == store.root / "mine"
    assert adapter_folder(Config(adapter=str(adapter))) == adapter
    store.use("mine")
    assert adapter_folder(Config()) == store.root / "mine"
    with pytest.raises(ConfigError, match="no version 'nothing'"):
        adapter_folder(Config(adapter="nothing"))


def corrupt(folder: Path) -> None:
    path = folder / "adapter.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def reshape(folder: Path) -> None:
    tensors = load_file(folder / "adapter.safetensors")
    tensors["decision.in"] = tensors["decision.in"][:, :-1].contiguous()
    save_file(tensors, folder / "adapter.safetensors")


def poison(folder: Path) -> None:
    tensors = load_file(folder / "adapter.safetensors")
    name = next(n for n in tensors if n.startswith("lora_A."))
    tensors[name][0] = float("nan")
    save_file(tensors, folder / "adapter.safetensors")


def other_format(folder: Path) -> None:
    body = json.loads((folder / "adapter.json").read_text())
    (folder / "adapter.json").write_text(json.dumps(body | {"format": 99}))


def narrow(path: Path) -> None:
    found = NamedSounds.load(path.parent)
    assert found is not None
    replace(found, weight=found.weight[:, :8], among=None).save(path)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (corrupt, "safetensors"),
        (reshape, "decision.in: shape"),
        (poison, "finite"),
        (other_format, "format"),
        (lambda f: (f / "adapter.json").unlink(), "adapter.json"),
        (lambda f: (f / "alert.safetensors").write_bytes(b"x"), "alert.safetensors"),
        (lambda f: (f / "named.safetensors").write_bytes(b"x"), "named.safetensors"),
        (lambda f: narrow(f / "named.safetensors"), "heads over 1024 numbers were expected, got 8"),
        (lambda f: (f / "evil.pkl").write_bytes(b"x"), "evil.pkl"),
        (lambda f: (f / "link.json").symlink_to("/etc/passwd"), "link.json"),
        (lambda f: (f / "folder").mkdir(), "folder"),
        (shutil.rmtree, "a folder with an adapter"),
    ],
)
def test_what_does_not_load_is_not_added(store: Store, adapter: Path, damage: object, said: str) -> None:
    damage(adapter)  # type: ignore[operator]
    with pytest.raises((WeightsError, ConfigError), match=said):
        store.add(adapter)
    assert [v.name for v in store.list()] == [BUILTIN]
    assert not [p for p in store.root.iterdir() if p.name != ".lock"]


def test_what_was_changed_afterwards_is_not_used(store: Store, adapter: Path) -> None:
    store.add(adapter)
    store.add(adapter, "good")
    store.use("good")
    (store.root / "mine" / "tags.json").write_text("{}")
    with pytest.raises(WeightsError, match=r"tags\.json: it was changed"):
        store.use("mine")
    assert store.current == "good"
    (store.root / "good" / "extra.json").write_text("{}")
    with pytest.raises(WeightsError, match="soundflow versions rollback"):
        store.current_folder()
    assert store.rollback() == BUILTIN


@pytest.mark.parametrize("name", ["../x", "A b", BUILTIN, "current", ".x", "x" * 65])
def test_bad_names(store: Store, adapter: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="--name"):
        store.add(adapter, name)
    if name != BUILTIN:
        with pytest.raises((ConfigError, WeightsError)):
            store.use(name)


def test_a_name_is_taken_once(store: Store, adapter: Path) -> None:
    store.add(adapter)
    with pytest.raises(ConfigError, match="there is a version of that name"):
        store.add(adapter)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "current": 3}'])
def test_a_broken_pointer_is_named(store: Store, text: str) -> None:
    store.root.mkdir(parents=True)
    (store.root / "current.json").write_text(text)
    with pytest.raises(WeightsError, match=r"current\.json"):
        store.current_folder()


def test_commands(store: Store, adapter: Path) -> None:
    run = CliRunner()
    assert "mine is current" in run.invoke(app, ["add", str(adapter), "--use"]).output
    listed = run.invoke(app, ["list"]).output.splitlines()
    assert listed[0].startswith(f"- {BUILTIN}")
    assert listed[1].startswith("* mine")
    assert "builtin is current" in run.invoke(app, ["rollback"]).output
    assert "mine is current" in run.invoke(app, ["use", "mine"]).output
