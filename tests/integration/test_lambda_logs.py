"""The lines that a call logs are its own, all of them, and are there with its answer.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (LogType Tail)
"""

from __future__ import annotations

import base64
import json

import pytest

pytestmark = pytest.mark.cloud

HANDLER = """
import sys, time

def handler(event, context):
    for word in event["words"]:
        time.sleep(event.get("pause", 0))
        print(word)
    sys.stdout.write(event.get("unended", ""))
    if event.get("fails"):
        raise ValueError("no")
    return len(event["words"])
"""


@pytest.fixture(scope="module")
def logged(cloud, make_function):
    """Calls the function; the lines of its log between START and END."""
    function = make_function(HANDLER)

    def call(**event) -> list[str]:
        answer = cloud.client("lambda").invoke(
            FunctionName=function, LogType="Tail", Payload=json.dumps(event).encode()
        )
        lines = base64.b64decode(answer.get("LogResult", "")).decode().splitlines()
        return [line for line in lines if line.split(" ")[0] not in ("START", "END", "REPORT")]

    return call


def test_every_line_of_a_call_is_there_and_none_of_another(logged):
    assert logged(words=["one", "two"]) == ["one", "two"]
    assert logged(words=[]) == []
    assert logged(words=["three"]) == ["three"]


def test_a_line_is_there_however_long_after_the_one_before(logged):
    assert logged(words=["one", "two"], pause=0.2) == ["one", "two"]


def test_what_does_not_end_in_a_new_line_is_a_line_too(logged):
    assert logged(words=["one"], unended="two") == ["one", "two"]


def test_a_call_that_failed_has_its_log(logged):
    assert "one" in logged(words=["one"], fails=True)
