"""Which of some classes a whole sound is: probabilities, what they add to labels, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest

from soundflow.errors import ConfigError
from soundflow.perceive.among import OTHERS, SHARE, Among, Choosing, seen

LABELS = ("Animal", "Whistle", "Owl", "Whistling", "Rain")
GROUPS = {"whistle": ("Whistling", "Whistle"), "owl": ("Owl",), "rain": ("Rain",)}
AMONG = Among(("owl", "whistle"), np.array([[4, 0, 0], [0, 4, 0]], np.float32), np.array([0, 1], np.float32))


def test_they_are_probabilities_of_one_of_them():
    log_p = AMONG.log_p(np.array([1, 0, 0], np.float32))
    assert np.exp(log_p).sum() == pytest.approx(1)
    assert log_p[0] - log_p[1] == pytest.approx(3)
    huge = Among(AMONG.classes, 1e4 * AMONG.weight, AMONG.bias).log_p(np.array([1, 0, 0], np.float32))
    assert np.isfinite(huge).all()


def test_loudness_does_not_count_and_every_chunk_does_alike():
    one, other = np.array([[1, 0, 0]], np.float32), np.array([[0, 1, 0]], np.float32)
    assert seen(one).tolist() == seen(9 * one).tolist()
    assert seen(np.concatenate([one, 100 * other])) == pytest.approx([0.5**0.5, 0.5**0.5, 0])
    assert seen(0 * one).tolist() == [0, 0, 0]


def test_all_labels_of_a_class_gain_alike_and_those_of_none_the_same():
    added = Choosing(AMONG, GROUPS, LABELS)(np.array([[1, 0, 0]], np.float32))
    log_p = AMONG.log_p(np.array([1, 0, 0], np.float32))
    assert added == pytest.approx(SHARE * np.array([OTHERS, log_p[1], log_p[0], log_p[1], OTHERS]))
    assert added[2] == added.max()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"weight": np.zeros((3, 3), np.float32)}, r"weight \[2, D\] and bias"),
        ({"bias": np.zeros(3, np.float32)}, r"weight \[2, D\] and bias"),
        ({"bias": np.array([0, np.inf], np.float32)}, "finite numbers"),
    ],
)
def test_what_does_not_fit_is_refused(changed, said):
    fields = {"classes": AMONG.classes, "weight": AMONG.weight, "bias": AMONG.bias}
    with pytest.raises(ConfigError, match=said):
        Among(**(fields | changed))
