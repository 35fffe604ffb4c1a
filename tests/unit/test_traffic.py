"""Who gets the traffic after a person's word."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.model.traffic import RefusedError, Serving, decide, reweighs, unservable

ALONE = Serving(3)
SHADOW = Serving(3, "shadow", 4, 0.5)
AB = Serving(3, "ab", 4, 0.2)


@pytest.mark.parametrize(
    ("request_", "now", "previous", "after"),
    [
        ({"action": "rollback"}, ALONE, 2, Serving(2)),
        ({"action": "rollback", "version": 1}, ALONE, 2, Serving(1)),
        ({"action": "rollback"}, AB, 2, Serving(2)),
        ({"action": "start", "kind": "shadow", "version": 4, "share": 0.5}, ALONE, 2, SHADOW),
        ({"action": "start", "kind": "ab", "version": 4, "share": 0.2}, ALONE, 2, AB),
        (
            {"action": "start", "kind": "ab", "version": 4, "share": 0.6},
            AB,
            2,
            Serving(3, "ab", 4, 0.6),
        ),
        ({"action": "promote", "kind": "ab"}, AB, 2, Serving(4)),
        ({"action": "promote", "kind": "shadow"}, SHADOW, 2, Serving(4)),
        ({"action": "stop", "kind": "ab"}, AB, 2, ALONE),
        ({"action": "stop", "kind": "shadow"}, SHADOW, 2, ALONE),
    ],
)
def test_what_serves(request_: Any, now: Serving, previous: int | None, after: Serving) -> None:
    assert decide(request_, now, previous) == after


@pytest.mark.parametrize(
    ("request_", "now", "words"),
    [
        ({"action": "rollback"}, ALONE, "no earlier version"),
        ({"action": "rollback", "version": 3}, ALONE, "version 3 is in service already"),
        ({"action": "promote", "kind": "ab"}, ALONE, "an A/B test does not run"),
        ({"action": "stop", "kind": "shadow"}, AB, "a shadow does not run"),
        ({"action": "start", "kind": "ab", "version": 3, "share": 0.2}, ALONE, "in service alr"),
        ({"action": "start", "kind": "ab", "version": 4, "share": 1}, ALONE, "a share of 1 cannot"),
        ({"action": "start", "kind": "ab", "version": 4, "share": 0}, ALONE, "a share of 0 cannot"),
        ({"action": "start", "kind": "shadow", "share": 1}, ALONE, "say which version"),
        (
            {"action": "start", "kind": "shadow", "version": 5, "share": 1},
            AB,
            "an A/B test of version 4 runs: promote or stop it first",
        ),
        ({"action": "start", "kind": "both", "version": 4, "share": 1}, ALONE, "no experiment"),
        ({"action": "delete"}, ALONE, "there is no action 'delete'"),
    ],
)
def test_what_cannot_be(request_: Any, now: Serving, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        decide(request_, now, None)


def test_only_weights_change_in_place() -> None:
    assert reweighs(AB, Serving(3, "ab", 4, 0.6))
    assert not reweighs(ALONE, AB)
    assert not reweighs(SHADOW, Serving(3, "shadow", 4, 0.6))
    assert not reweighs(AB, Serving(4))


def test_the_record_of_an_experiment_is_what_serves() -> None:
    record = {"kind": "ab", "model_version": 4, "share": 0.2, "since": "2026-03-01T12:00:00Z"}
    assert Serving.of(3, record) == AB
    assert Serving.of(3, None) == ALONE


@pytest.mark.parametrize(
    ("parameters", "transformers", "words"),
    [
        ({}, False, ""),
        ({"sagemaker_program": "train.py", "model": "linear"}, False, ""),
        ({"sagemaker_program": "train.py", "model": "linear"}, True, ""),
        ({"model": "transformer", "export": "onnx-int8"}, True, ""),
        ({"model": "transformer", "export": "onnx-int8"}, False, "brings ONNX Runtime"),
        ({"model": "transformer"}, True, "needs an endpoint"),
        ({"model": "boosted"}, True, "a boosted model"),
        ({"sagemaker_program": "mine.py"}, True, "a script of your own"),
    ],
)
def test_what_a_function_can_serve(
    parameters: dict[str, str], transformers: bool, words: str
) -> None:
    why = unservable(parameters, transformers)
    assert words in why
    assert bool(why) is bool(words)
