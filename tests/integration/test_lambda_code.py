"""Lambda's code: each zip unpacked once, new code taken up, each function with its own."""

from __future__ import annotations

import io
import json
import uuid
import zipfile

import pytest
from roles import ROLE

pytestmark = pytest.mark.cloud

HANDLER = """
import os
import greeting.words
from pathlib import Path

def handler(event, context):
    here = Path(__file__).resolve()
    return {"word": greeting.words.WORD, "folder": str(here.parent), "cwd": os.listdir(".")}
"""


def pack(word: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("app.py", HANDLER)
        archive.writestr("greeting/__init__.py", "")
        archive.writestr("greeting/words.py", f"WORD = {word!r}")
    return data.getvalue()


@pytest.fixture
def make(cloud):
    def made(code: bytes) -> str:
        name = f"fn-{uuid.uuid4().hex[:8]}"
        cloud.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=ROLE,
            Handler="app.handler",
            Code={"ZipFile": code},
            Timeout=20,
        )
        return name

    return made


@pytest.fixture
def call(cloud):
    def called(name: str) -> dict:
        answer = cloud.client("lambda").invoke(FunctionName=name)
        return json.loads(answer["Payload"].read())

    return called


def test_functions_of_one_zip_read_one_copy_of_it(make, call):
    code = pack("hello")
    first, second = call(make(code)), call(make(code))
    assert first["word"] == second["word"] == "hello"
    assert first["folder"] == second["folder"]
    assert sorted(first["cwd"]) == ["app.py", "greeting"]


def test_functions_of_different_zips_do_not_meet(make, call):
    assert call(make(pack("left")))["word"] == "left"
    assert call(make(pack("right")))["word"] == "right"


def test_new_code_is_taken_up(cloud, make, call):
    name = make(pack("old"))
    assert call(name)["word"] == "old"
    cloud.client("lambda").update_function_code(FunctionName=name, ZipFile=pack("new"))
    assert call(name)["word"] == "new"
