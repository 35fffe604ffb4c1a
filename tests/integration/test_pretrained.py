"""driftloop pretrained upload: an encoder goes where a transformer's training finds it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Cloud
from typer.testing import CliRunner

from cli import main, pretrained, project, target
from cli.errors import Problem


@pytest.fixture
def data_bucket(cloud: Cloud, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """That of the stack that commands speak of."""
    target.client.cache_clear()
    monkeypatch.setattr(target, "outputs", lambda stack: {"DataBucket": bucket})
    yield bucket
    target.client.cache_clear()


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    folder = tmp_path / "My-Encoder"
    folder.mkdir()
    for name in (*pretrained.FILES, "README.md"):
        (folder / name).write_text(name)
    return folder


def keys(cloud: Cloud, bucket: str) -> set[str]:
    listed = cloud.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return {entry["Key"] for entry in listed}


@pytest.mark.parametrize(("given", "name"), [("", "my-encoder"), ("reviews-v2", "reviews-v2")])
def test_what_training_reads_is_put_under_a_name(
    cloud: Cloud, data_bucket: str, encoder: Path, given: str, name: str
):
    assert pretrained.upload("any", str(encoder), given) == name
    assert keys(cloud, data_bucket) == {f"pretrained/{name}/{file}" for file in pretrained.FILES}


def test_minilm_comes_from_its_package(
    cloud: Cloud, data_bucket: str, encoder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pretrained, "minilm", lambda: encoder)
    assert pretrained.upload("any", "minilm") == "minilm"
    assert "pretrained/minilm/model.safetensors" in keys(cloud, data_bucket)


def test_the_setting_that_names_it_is_told_whole(cloud: Cloud, data_bucket: str, encoder: Path):
    """A section in square brackets is no markup of the terminal's."""
    told = CliRunner().invoke(main.app, ["--stack", "any", "pretrained", "upload", str(encoder)])
    assert 'under [training]: pretrained = "my-encoder"' in " ".join(told.output.split())


def test_a_folder_that_lacks_something_is_refused(cloud: Cloud, data_bucket: str, encoder: Path):
    (encoder / "tokenizer.json").unlink()
    with pytest.raises(Problem, match=r"lacks tokenizer\.json"):
        pretrained.upload("any", str(encoder))
    assert not keys(cloud, data_bucket)


def test_a_name_that_no_prefix_can_have_is_refused(encoder: Path):
    with pytest.raises(Problem, match="cannot be a name"):
        pretrained.upload("any", str(encoder), "two words")


def test_without_the_package_it_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(project, "home", lambda: tmp_path)
    with pytest.raises(Problem) as refused:
        pretrained.minilm()
    assert "make transformer" in refused.value.remedy
