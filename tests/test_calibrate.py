"""Fitting the gate: it separates, keeps its promise, and needs both kinds of questions."""

from __future__ import annotations

import random

import pytest

from dragtor.errors import UsageError
from dragtor.evaluate.calibrate import fit_gate
from dragtor.ground import FEATURES, Gate


def test_a_gate_learns_what_separates_and_keeps_its_promise() -> None:
    draw = random.Random(0)
    good = [tuple(draw.uniform(0.7, 1) for _ in FEATURES) for _ in range(100)]
    bad = [tuple(draw.uniform(0.3, 0.75) for _ in FEATURES) for _ in range(100)]
    gate = fit_gate([*good, *bad], [True] * 100 + [False] * 100, "mark")
    assert sum(not gate.passes(row) for row in good) <= 8
    assert sum(gate.passes(row) for row in bad) <= 8
    assert Gate.from_dict(gate.to_dict()) == gate


def test_a_gate_needs_both_kinds_of_questions() -> None:
    with pytest.raises(UsageError, match="answerable and 5 unanswerable"):
        fit_gate([(0.5,) * len(FEATURES)], [True], "mark")
