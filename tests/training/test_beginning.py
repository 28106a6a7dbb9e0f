"""A base before any training: training begins with the model that listens, whatever its language model's tables are."""

from __future__ import annotations

import shutil

import pytest
import torch

from soundflow.tiers import random
from soundflow.tiers.base import DECISION_WORDS
from soundflow.tiers.kit import kit
from soundflow.tiers.pretrained import from_pretrained
from tests.decide import families
from training.adapters import AdapterConfig
from training.kits import trainable

SEPARATE = ("llama", "mistral", "smollm3")
"""With a head of its own; the others read and write by one table, which gemma scales where it reads."""
ONE_TABLE = ("llama-biased", "qwen3")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return random.write("base", tmp_path_factory.mktemp("beginning") / "model")


@pytest.fixture(params=[*SEPARATE, *ONE_TABLE, "gemma"])
def pair(request, made, tmp_path):
    """-> family, what is trained, and what listens."""
    folder = shutil.copytree(made, tmp_path / "model")
    own = kit(folder)
    vocab = own.context().tokenizer.get_vocab_size()
    (folder / "lm" / "model.safetensors").unlink()
    wide = {"sliding_window": 1_000} if request.param == "mistral" else {}
    tied = request.param not in SEPARATE
    shape = {"vocab_size": vocab, "max_position_embeddings": 1024, "tie_word_embeddings": tied, **wide}
    families.save(families.make(request.param, **shape), folder / "lm")
    trained = trainable(own, AdapterConfig(rank=2, alpha=4, dropout=0.0), torch.float32)
    return request.param, trained, from_pretrained(folder, dtype=torch.float32)


def test_training_begins_with_what_listens(pair):
    _, trained, model = pair
    lalm = model.lalm
    assert torch.equal(trained.decision_in, lalm.decision_in)
    assert torch.equal(trained.decision_out, lalm.decision_out)
    assert torch.equal(trained.bias, lalm.bias)
    mine, theirs = (x.projector.state_dict() for x in (trained, lalm))
    assert all(torch.equal(mine[k], theirs[k]) for k in mine)
    assert torch.equal(trained.projector.tag_embeddings, lalm.projector.tag_embeddings)


def test_a_decision_is_read_and_written_as_its_word(pair):
    family, trained, model = pair
    lalm, hidden = model.lalm, torch.randn(5, 32, generator=torch.Generator().manual_seed(0))
    words = [model.context.encode(word) for word in DECISION_WORDS]
    read = torch.stack([lalm.embed(ids).mean(0) for ids in words])
    torch.testing.assert_close(lalm.decision_in, read)
    with torch.no_grad():
        written = torch.stack([lalm.llama.head(hidden)[:, ids].mean(-1) for ids in words], dim=-1)
        torch.testing.assert_close(hidden @ lalm.decision_out.T, written)
        written = torch.stack([trained.token_logits(hidden)[:, ids].mean(-1) for ids in words], dim=-1)
        torch.testing.assert_close(trained.decision_logits(hidden) - trained.bias, written)
    assert torch.equal(lalm.decision_in, lalm.decision_out) == (family in ONE_TABLE)
    if family == "gemma":
        torch.testing.assert_close(lalm.decision_in, lalm.decision_out * 32**0.5)
