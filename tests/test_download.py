"""What of a repository is fetched, by part, and what is said where it cannot be had; and the reader of JSON files."""

from __future__ import annotations

import httpx
import pytest
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

from soundflow.download import LM, SPEECH, WORDS, download, one_file
from soundflow.errors import ConfigError, WeightsError
from soundflow.jsonfile import read_object
from tests.fake_hub import MISTRAL, WHISPER_LARGE, files, install

CLIENTS_OWN = HfHubHTTPError.__bases__[0]
"""What the HTTP library that the hub's client is built on raises, and lets through where a listing finds no host."""


@pytest.fixture
def hub(monkeypatch, tmp_path):
    return install(monkeypatch, tmp_path / "cache")


@pytest.mark.parametrize(
    ("wanted", "there", "taken"),
    [
        (LM, MISTRAL, {*MISTRAL[:5], "tokenizer_config.json", "generation_config.json"}),
        (SPEECH, WHISPER_LARGE, {"config.json", "preprocessor_config.json", "model.safetensors", "LICENSE"}),
        (
            WORDS,
            ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin", "pytorch_model.bin", "model.onnx",
             "encoder_model.onnx", "base/encoder_model.ort"),
            {"encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"},
        ),
        (
            one_file("onnx/model.onnx"),
            ("onnx/model.onnx", "onnx/model_fp16.onnx", "model.onnx", "x/onnx/model.onnx", "LICENSE", "LICENSE/a.bin"),
            {"onnx/model.onnx", "LICENSE"},
        ),
        (
            one_file("exp/cls/best.pth", ("config.yaml", "labels.csv")),
            ("exp/cls/best.pth", "exp/cls/config.yaml", "config.yaml", "exp/cls/1epoch.pth", "exp/labels.csv"),
            {"exp/cls/best.pth", "exp/cls/config.yaml"},
        ),
        (one_file("a[1]*.pt"), ("a[1]*.pt", "a1.pt", "a[1]b.pt"), {"a[1]*.pt"}),
    ],
    ids=["lm", "speech", "words", "one file", "one file and its config", "a name with wildcards"],
)  # fmt: skip
def test_of_each_part_only_what_it_reads_is_fetched(hub, tmp_path, wanted, there, taken):
    hub.repositories["a/b"] = there
    assert files(download("a/b", "v1", wanted, tmp_path / "here")) == taken
    assert {x for x in there if x in wanted} == taken
    assert hub.asked == [("a/b", "v1")]
    assert files(download("a/b", None, wanted)) == taken


def test_a_file_that_did_not_come_is_no_success(hub, tmp_path):
    """Its client returns a folder that is there where it loses the network."""
    hub.repositories["a/b"], hub.lost = MISTRAL, {"model-00002-of-00002.safetensors"}
    with pytest.raises(WeightsError, match=r"a/b@v1: cannot be fetched: model-00002-of-00002\.safetensors did not"):
        download("a/b", "v1", LM, tmp_path)


def test_a_repository_without_any_of_it_is_refused(hub, tmp_path):
    hub.repositories["a/b"] = ("model_fp16.onnx", *(f"{i}.bin" for i in range(9)))
    with pytest.raises(WeightsError, match=r"a/b@v1: one of model\.onnx.* was expected, got model_fp16.* and 2 more"):
        download("a/b", "v1", one_file("model.onnx"), tmp_path)
    assert not hub.asked


@pytest.mark.parametrize("call", ["list_repo_files", "snapshot_download"])
@pytest.mark.parametrize(
    ("error", "message"),
    [
        (LocalEntryNotFoundError("no connection"), "cannot be fetched: no connection"),
        (ConnectionError("refused"), "cannot be fetched: ConnectionError: refused"),
        (CLIENTS_OWN("refused"), "cannot be fetched: .*: refused"),
        (OSError(28, "No space left on device"), "No space left"),
        ((GatedRepoError, "gated"), "asks for an account with access"),
        ((RepositoryNotFoundError, "404"), "a model of the hub was expected"),
    ],
    ids=["offline", "refused", "no host", "full disk", "gated", "unknown"],
)
def test_what_keeps_a_model_from_being_fetched_is_said(hub, monkeypatch, call, error, message):
    def fail(*_, **__):
        if isinstance(error, tuple):
            kind, text = error
            raise kind(text, response=httpx.Response(404, request=httpx.Request("GET", "https://hub")))
        raise error

    hub.repositories["a/b"] = MISTRAL
    monkeypatch.setattr(f"huggingface_hub.{call}", fail)
    with pytest.raises(WeightsError, match=f"a/b.*{message}"):
        download("a/b", None, LM)


def test_an_object_is_read_or_its_file_named(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"a": [1]}')
    assert read_object(path, "a settings file") == {"a": [1]}
    for content, said in (
        (b"{", r"a settings file was expected \(Expecting"), (b"\xff\xfe{}", "a settings file was expected"),
        (b"[" * 100_000, "a settings file was expected"), (b"", "a settings file was expected"),
        (b"[1]", "a JSON object was expected, got list"), (b"null", "got NoneType"),
    ):  # fmt: skip
        path.write_bytes(content)
        for kind in (WeightsError, ConfigError):
            with pytest.raises(kind, match=rf"x\.json: .*{said}"):
                read_object(path, "a settings file", kind)
    path.write_text("[]")
    with pytest.raises(ConfigError, match="got list"):
        read_object(path, "a settings file", other=ConfigError)
    path.unlink()
    with pytest.raises(WeightsError, match="No such file"):
        read_object(path, "a settings file", other=ConfigError)
