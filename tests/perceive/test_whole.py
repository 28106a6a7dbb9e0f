"""A sound as a whole: when it begins and ends, what it is called, and what gets no name."""

from __future__ import annotations

import numpy as np
import pytest

from soundflow.errors import ConfigError
from soundflow.perceive.whole import NOTED, Chooser, WholeConfig, WholeSounds, WholeState
from soundflow.types import FloatArray, Whole

LABELS = ("Speech", "Dog", "Cat", "Piano", "Inside, small room")
CHUNK = 6400
QUIET, LOUD = -60.0, -25.0
Heard = list[tuple[float, dict[str, float]]]


def p_of(values: dict[str, float]) -> FloatArray:
    return np.array([values.get(label, 0.003) for label in LABELS], np.float32)


NO_SOUND = np.zeros(4, np.float32)


def sound_of(values: dict[str, float]) -> FloatArray:
    """An embedding that knows which label is the likeliest."""
    return np.eye(len(LABELS), dtype=np.float32)[int(p_of(values).argmax())]


def play(
    heard: Heard,
    headed: tuple[str, ...] = ("Dog", "Cat"),
    config: WholeConfig | None = None,
    choose: Chooser | None = None,
) -> list[Whole]:
    whole = WholeSounds(LABELS, headed, CHUNK, config, choose)
    state = whole.init_state()
    found = [
        whole.step(level, p_of(values), level, sound_of(values), k, state) for k, (level, values) in enumerate(heard)
    ]
    assert state.onset == -1
    return [sound for sound in found if sound]


def around(*middle: tuple[float, dict[str, float]]) -> Heard:
    return [(QUIET, {})] * 3 + list(middle) + [(QUIET, {})] * 3


def test_the_name_that_most_of_it_agrees_on() -> None:
    """One chunk is sure of a cat; all of it together is a dog."""
    dog = (LOUD, {"Dog": 0.4, "Cat": 0.05})
    (sound,) = play(around((LOUD, {"Cat": 0.8}), dog, dog, dog))
    assert (sound.label, sound.onset, sound.offset) == ("Dog", 3 * CHUNK, 7 * CHUNK)
    assert 0.1 < sound.p < 0.4


def test_faint_chunks_do_not_count() -> None:
    (sound,) = play(around((LOUD, {"Dog": 0.6}), *[(LOUD - 20, {"Cat": 0.9})] * 4))
    assert sound.label == "Dog"


def test_a_short_pause_is_part_of_it_and_a_longer_one_ends_it() -> None:
    bark = (LOUD, {"Dog": 0.6})
    assert len(play(around(bark, (QUIET, {}), bark))) == 1
    assert len(play(around(bark, (QUIET, {}), (QUIET, {}), bark))) == 2


def test_labels_without_a_head_need_more_where_there_are_heads() -> None:
    both = around((LOUD, {"Dog": 0.3, "Piano": 0.5}))
    assert play(both)[0].label == "Dog"
    assert play(both, headed=())[0].label == "Piano"
    assert play(around((LOUD, {"Piano": 0.6})))[0].label == "Piano"


@pytest.mark.parametrize(
    "values",
    [{"Speech": 0.99, "Dog": 0.3}, {"Dog": 0.005}, {"Inside, small room": 0.9}],
    ids=["speech", "faint", "room"],
)
def test_no_name(values: dict[str, float]) -> None:
    assert not play(around(*[(LOUD, values)] * 3))


def test_a_head_is_believed_sooner_than_a_bare_label() -> None:
    faint = around(*[(LOUD, {"Dog": 0.02})] * 3)
    assert play(faint)[0].label == "Dog"
    assert not play(faint, headed=())


def test_what_chooses_among_them_sees_the_loud_chunks_and_names_without_moving_the_margin() -> None:
    seen = []

    def choose(embeddings: FloatArray) -> FloatArray:
        seen.append(embeddings)
        return np.array([0, 0, 4, 0, 0], np.float32)

    heard = around((LOUD, {"Dog": 0.5, "Cat": 0.1}), (LOUD - 20, {"Cat": 0.9}), (LOUD, {"Dog": 0.5, "Cat": 0.1}))
    (plain,), (chosen,) = play(heard), play(heard, choose=choose)
    assert (plain.label, chosen.label) == ("Dog", "Cat")
    assert (plain.margin, plain.alert, plain.onset) == (chosen.margin, chosen.alert, chosen.onset)
    assert seen[0].argmax(axis=1).tolist() == [1, 1]


def test_what_gets_no_name_is_not_chosen_among() -> None:
    faint = around(*[(LOUD, {"Dog": 0.005})] * 3)
    assert not play(faint, choose=lambda _: np.array([0, 9, 0, 0, 0], np.float32))


def test_what_is_remembered_is_named_sooner_and_told_apart_in_a_short_pause() -> None:
    bark, faint = (LOUD, {"Dog": 0.6}), (LOUD, {"Dog": 0.0055})
    assert len(play(around(bark, (QUIET, {}), bark), config=NOTED)) == 2
    assert [len(play(around(faint), config=config)) for config in (None, NOTED)] == [0, 1]


def test_nothing_stands_out() -> None:
    assert not play([(QUIET + 5 * (k % 2), {"Dog": 0.9}) for k in range(20)])


def test_a_long_sound_is_named_once_and_held_for_no_longer() -> None:
    whole = WholeSounds(LABELS, ("Dog",), CHUNK, WholeConfig(most=5))
    state, found, most = whole.init_state(), [], 0
    for k in range(40):
        found.append(whole.step(LOUD if k >= 2 else QUIET, p_of({"Dog": 0.7}), 0.0, NO_SOUND, k, state))
        most = max(most, len(state.heard))
    assert [k for k, sound in enumerate(found) if sound] == [6]
    assert most < 5
    assert len(state.levels) == state.levels.maxlen


def test_a_snapshot_goes_on_as_the_state_did() -> None:
    whole = WholeSounds(LABELS, ("Dog",), CHUNK)
    one, heard = whole.init_state(), around((LOUD, {"Dog": 0.7}), (LOUD, {"Dog": 0.5}))
    for k, (level, values) in enumerate(heard[:4]):
        whole.step(level, p_of(values), 1.0, NO_SOUND, k, one)
    other = WholeState()
    other.restore(one.snapshot())
    ends = [
        [whole.step(lv, p_of(v), 2.0, NO_SOUND, k, s) for k, (lv, v) in enumerate(heard[4:], 4)] for s in (one, other)
    ]
    assert ends[0] == ends[1]
    assert any(ends[0])
    one.reset()
    assert one.snapshot() == WholeState().snapshot()


def test_bad_settings() -> None:
    with pytest.raises(ConfigError, match="whole sounds"):
        WholeConfig(most=1)
