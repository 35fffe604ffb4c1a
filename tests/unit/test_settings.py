"""pipeline.toml: every mistake is told by its key."""

from __future__ import annotations

import pytest

from chalicelib import settings

GOOD = settings.FILE.read_text(encoding="utf-8")


def test_the_projects_own_file_is_right() -> None:
    assert settings.parse(GOOD).pipeline.name == "reviews"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('label = "star_rating"', 'label = "stars"', "dataset: label is 'stars'"),
        ('balance = "undersample"', 'balance = "over"', "training.balance: Input should be"),
        ("seed = 42", "sede = 42", "training.sede: there is no such key"),
        ('name = "reviews"', 'name = "My Reviews"', "pipeline.name: String should match"),
        ('text = ["review_body"]', 'text = ["body"]', "model.text names body"),
        ("max_rejects = 0.05", "max_rejects = 5", "quality.max_rejects: Input should be"),
        ('{ check = "size", at_least = 100 }', '{ check = "size" }', "size needs at_least"),
        ('type = "date"', 'type = "day"', "dataset.columns[14].type: Input should be"),
        ("[pipeline]", "[pipeline", "pipeline.toml is not TOML"),
    ],
)
def test_mistakes_are_named(before: str, after: str, words: str) -> None:
    assert before in GOOD
    with pytest.raises(settings.SettingsError) as error:
        settings.parse(GOOD.replace(before, after, 1))
    assert words in str(error.value)
