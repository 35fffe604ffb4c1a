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
        ('balance = "weights"', 'balance = "over"', "training.balance: Input should be"),
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


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('split = "stratified"', 'split = "time"', "training: the time split needs a split_column"),
        ('split = "stratified"', 'split = "time"\nsplit_column = "day"',
         "training.split_column names day"),
        ('split = "stratified"', 'split_column = "customer_id"',
         "training: the stratified split takes no split_column"),
        ('problem = "multiclass"', 'problem = "regression"', "training.balance: a regression has"),
        ('problem = "multiclass"', 'problem = "binary"', "dataset.label has 5 values"),
        ('text = ["review_body"]', "text = []", "model: text or features must name"),
        ('text = ["review_body"]', 'features = ["vine"]', "model.features names vine, not"),
        ("similarity = 0.8", "similarity = 8", "training.similarity: Input should be"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_together(before: str, after: str, words: str) -> None:
    test_mistakes_are_named(before, after, words)
