"""Token layout: where decisions stand, what a branch sees, what varied acts keep."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from soundflow.decide.context import Context
from soundflow.perceive.sound import labels
from soundflow.respond.tools import load_tools
from soundflow.types import Kind
from tests.training.streams import CHUNK, alert, request, silence
from training.adapters import visible
from training.dataset import batches, epoch, scoring_sequences, varied
from training.sequence import IGNORE, SequenceBuilder, speech_items
from training.words_sim import simulate_words

DEMO = Path(__file__).parents[2] / "demo"
HOME = load_tools(DEMO / "tools.json")


@pytest.fixture(scope="module")
def builder(nano_parts):
    context = Context.load(nano_parts / "lm" / "tokenizer.json")
    return SequenceBuilder(context, {"home": HOME}, labels(nano_parts / "sound" / "yamnet.tflite"), replies=1.0)


class Never(random.Random):
    """Draws no delay and says what was said at once."""

    def choice(self, seq):
        return seq[0]

    def random(self):
        return 0.0


def decided(seq):
    """(chunk, kind) of every decision target that is not silent."""
    at = [i for i, d in enumerate(seq.decision) if d != IGNORE]
    return [(k, Kind(seq.decision[i])) for k, i in enumerate(at) if seq.decision[i] != Kind.SILENT]


@pytest.mark.weights
def test_a_sound_is_answered_in_its_due_chunk_and_silence_never(builder):
    assert decided(builder.build([alert(due=9)], (), Never(0))) == [(9, Kind.SPEAK)]
    assert decided(builder.build([silence()], (), Never(0))) == []


@pytest.mark.weights
def test_a_request_is_answered_when_its_segment_closes(builder):
    """The voice activity stops in chunk 11; the final comes one chunk later."""
    assert decided(builder.build([request()], HOME, Never(0))) == [(12, Kind.ACT)]


@pytest.mark.weights
def test_chunks_before_the_response_weigh_less_and_all_others_fully(builder):
    seq = builder.build([alert(onset=5, due=9)], (), Never(0))
    weights = [w for w, d in zip(seq.weight, seq.decision, strict=True) if d != IGNORE]
    assert weights[:5] == [1.0] * 5
    assert weights[5:9] == [0.25] * 4
    assert weights[9:] == [1.0] * 11


@pytest.mark.weights
def test_one_position_a_silent_chunk(builder):
    seq = builder.build([silence(chunks=20)], (), Never(0))
    prefix = builder.context.prefix("", [])
    assert len(seq) == len(prefix) + 20


@pytest.mark.weights
def test_a_branch_sees_what_the_fork_sees(builder):
    seq = builder.build([alert(due=9)], (), Never(0))
    first = seq.branch.index(1)
    speak = next(i for i, k in enumerate(seq.kind) if k == "d")
    mask = visible(seq, len(seq) + 3)
    assert mask[first, : speak + 1].all()
    assert not mask[first, speak + 1 : first].any()
    assert seq.position[first] == seq.position[speak] + 1
    main = [i for i, b in enumerate(seq.branch) if b == 0]
    assert not mask[main][:, first:].any()
    text = builder.context.decode([t for t in seq.token if t != IGNORE])
    assert text == "I hear a siren."


@pytest.mark.weights
@pytest.mark.parametrize(
    ("instruction", "counted"), [("Count every siren aloud.", True), ("Warn me of sirens.", False)]
)
def test_a_reply_to_each_of_several_sounds_knows_which_one_it_is(builder, instruction, counted):
    sample, features = alert()
    seq = builder.build([({**sample, "instruction": instruction}, features)], (), Never(0))
    branch = [v for v, b in zip(seq.value, seq.branch, strict=True) if b == 1]
    assert ("Count: 1\n" in builder.context.decode(branch) + "\n") is counted


@pytest.mark.weights
def test_an_acts_reply_is_its_canonical_call(builder):
    seq = builder.build([request()], HOME, Never(0))
    text = builder.context.decode([t for t in seq.token if t != IGNORE])
    assert json.loads(text) == {"name": "set_light", "arguments": {"room": "kitchen", "state": "off"}}


@pytest.mark.weights
@pytest.mark.parametrize(("gap", "whole"), [(2, True), (4, False)])
def test_what_closed_long_before_the_turn_was_said_and_is_not_asked(builder, gap, whole):
    """As `Session`: 0.9 s of closed speech are answered; what closed before is a note, stamped where it was known."""
    sample, features = request()
    cut = 8 * CHUNK
    features = replace(features, segments=[(5 * CHUNK, cut), (cut, 10 * CHUNK)], stop_chunks=[11 - gap, 11])
    _, finals = simulate_words(speech_items(sample, features), features, Never(0))
    assert sorted(finals) == [12 - gap, 12]
    (target,) = builder.targets(sample, features, finals, HOME, Never(0), train=False)
    assert target.due == 12
    assert (target.heard == "Turn off the kitchen light.") == whole
    assert target.heard.endswith("light.")
    before = [] if whole else [((13 - gap) * CHUNK, f'"{finals[12 - gap]}"')]
    assert [(n.sample, n.text) for n in target.notes] == before


@pytest.mark.weights
def test_varied_acts_keep_their_audio_and_their_chunk(builder):
    (sample, features), tools = varied(request(), random.Random(3))
    assert features.tags is not None
    assert sample["responses"][0]["call"]["name"] in {t.name for t in tools}
    seq = builder.build([(sample, features)], tools, Never(0))
    assert decided(seq) == [(12, Kind.ACT)]
    assert varied(alert(), random.Random(0)) is None


@pytest.mark.weights
def test_scoring_writes_nothing_back(builder):
    (seq,) = scoring_sequences([alert()], builder)
    assert "d" not in seq.kind
    assert max(seq.branch) == 0


@pytest.mark.weights
def test_epoch_joins_streams_and_batches_hold_every_sequence_once(builder):
    items = [alert(seed=s) for s in range(6)] + [silence(seed=s) for s in range(6, 12)]
    made = epoch(items, builder, random.Random(0), longest=60, attach=0.0)
    heard = sorted(sid for seq in made for sid, chunk in seq.chunk_ids if chunk == 0)
    assert heard == sorted(s["id"] for s, _ in items)
    grouped = list(batches(made, 150, random.Random(0)))
    assert sorted(id(s) for g in grouped for s in g) == sorted(id(s) for s in made)
    assert all(len(g) == 1 or max(map(len, g)) * len(g) <= 150 for g in grouped)


def test_visible_is_causal_on_main():
    class Seq:
        branch, seen = [0, 0, 0, 1, 1], [0, 0, 0, 2, 2]

        def __len__(self):
            return 5

    mask = visible(Seq(), 6)
    assert torch.equal(mask[2], torch.tensor([1, 1, 1, 0, 0, 0], dtype=torch.bool))
    assert torch.equal(mask[4], torch.tensor([1, 1, 0, 1, 1, 0], dtype=torch.bool))
    assert mask[5, 5]


@pytest.mark.weights
def test_a_question_knows_the_sounds_and_words_of_the_whole_stream(builder):
    """As the session notes them: sounds under the perceiver's names, words of earlier samples on one clock."""
    sample, heard = request()
    dog = builder.labels.index("Dog")
    heard.tags[2:5, dog] = 0.95
    question = {**sample["responses"][0], "kind": "speak", "text": "I heard a dog.", "call": None}
    asking = ({**sample, "responses": [question]}, heard)
    made = []
    original = builder._branch
    builder._branch = lambda seq, target, *rest: (made.append(target), original(seq, target, *rest))
    try:
        builder.build([asking, asking], (), Never(0))
    finally:
        builder._branch = original
    first, second = ([(n.sample // CHUNK, n.text) for n in target.notes] for target in made)
    assert first == [(2, "a dog")]
    assert second == [(2, "a dog"), (13, '"Turn off the kitchen light."'), (22, "a dog")]
