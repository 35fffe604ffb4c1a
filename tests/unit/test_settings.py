"""pipeline.toml: every mistake is told by its key."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chalicelib import settings
from chalicelib.releasing import Rollout

GOOD = settings.FILE.read_text(encoding="utf-8")

SIDE = """
[[datasets]]
name = "products"
columns = [{ name = "id", type = "string", required = true }, { name = "price", type = "number" }]
[datasets.quality]
checks = [{ check = "completeness", column = "id", at_least = 1 }]

"""


def test_other_datasets_have_their_own_checks() -> None:
    found = settings.parse(GOOD.replace("[intake]", SIDE + "[intake]"))
    assert [each.name for each in found.every_dataset] == ["reviews", "products"]
    assert found.find("products").partition_by is None
    assert found.quality_of("products").checks[0].column == "id"
    assert found.quality_of("reviews") == found.quality


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
        ("bake_seconds = 0", "bake_seconds = 4000", "rollout.bake_seconds: Input should be"),
        ('"all_at_once" ', '"canary" ', "rollout: canary needs bake_seconds"),
        ("share = 0.1 ", "share = 0.6 ", "rollout.share: Input should be less than"),
        ("min_instances = 1\n", "min_instances = 2\n", "endpoint: min_instances is more than max"),
        ("instance_count = 1 ", "instance_count = 0 ", "endpoint.instance_count: Input should"),
        ("schedule = []", 'schedule = [{ at = "noon" }]', "endpoint.schedule[0].at: String should"),
        ('{ check = "size", at_least = 100 }', '{ check = "size" }', "size needs at_least"),
        ('type = "date"', 'type = "day"', "dataset.columns[14].type: Input should be"),
        (
            'encoding = "utf-8"',
            'encoding = "latin-13"',
            "dataset.encoding: 'latin-13' is not an enc",
        ),
        ('encoding = "utf-8"', 'encoding = "base64"', "dataset.encoding: 'base64' is not an enc"),
        ("max_ratio = 200", "max_ratio = 1", "dataset.max_ratio: Input should be greater than 1"),
        ("max_mb = 2048", "max_mb = 6000", "dataset.max_mb: Input should be less than"),
        ('schema_change = "warn"', 'schema_change = "ask"', "dataset.schema_change: Input should"),
        ('sort_by = ["review_date"]', 'sort_by = ["day"]', "dataset: sort_by names day"),
        (
            'partition_by = "product_category"',
            'partition_by = "vine"',
            "the column vine of partition",
        ),
        ('name = "vine"', 'name = "run"', "dataset: columns has run, which the loop adds"),
        ("max_batch = 1000", "max_batch = 0", "intake.max_batch: Input should be"),
        ("max_batch_mb = 50000", "max_batch_mb = 0", "intake.max_batch_mb: Input should be"),
        ("unheard_seconds = 960", "unheard_seconds = 5", "intake.unheard_seconds: Input should be"),
        ("[intake]", SIDE.replace("products", "reviews") + "[intake]", "reviews is there twice"),
        (
            "[intake]",
            SIDE.replace('"id"', '"_id"', 1) + "[intake]",
            "datasets[0].quality.checks[0]",
        ),
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
        (
            'spot = false                      # spare instances at a lower price, which AWS may '
            "take back:\nmax_wait_seconds = 7200",
            "spot = true\nmax_wait_seconds = 60",
            "training: max_wait_seconds is the wait and the run",
        ),
        ('model = "linear"', 'model = "transformer"', "training.pretrained: a transformer begins"),
        ('model = "linear"', 'model = "transformer"', "training.instance_type: AWS's image for"),
        ('pretrained = ""', 'pretrained = "Mini LM"', "training.pretrained: String should match"),
        ("similarity = 0.8", "similarity = 8", "training.similarity: Input should be"),
        ('slices = ["product_category"]', 'slices = ["colour"]', "evaluation names colour, which"),
        ("positive = [4, 5]", "positive = []", "evaluation.facets needs evaluation.positive"),
        ("positive = [4, 5]", "positive = [4, 6]", "evaluation.positive has 6, which is no value"),
        ("max_slice_regression = 0.1", "max_slice_regression = -1", "gate.max_slice_regression"),
        ('cors_origin = ""', 'cors_origin = "shop.example"', "api.cors_origin: String should"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_together(before: str, after: str, words: str) -> None:
    test_mistakes_are_named(before, after, words)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('schedule = "hourly"', 'schedule = "weekly"', "monitor.schedule: String should match"),
        ('schedule = "hourly"', 'schedule = "rate(1 hours)"', "monitor.schedule: String should"),
        ('schedule = "hourly"', 'schedule = "cron(0 6 * *)"', "monitor.schedule: String should"),
        ('time_zone = "UTC"', 'time_zone = "Berlin"', "pipeline.time_zone: there is no time zone"),
        ('quiet_hours = ""', 'quiet_hours = "22-7"', "drift.quiet_hours: '22-7' is not of the"),
        ("max_tries = 3", "max_tries = 0", "drift.max_tries: Input should be"),
        ('"baseline_drift_check",', '"drift_check",', "drift.severe_checks[0]: Input should be"),
        ('webhook = ""', 'webhook = "https://x"', "notifications.webhook: String should match"),
        ('webhook_kind = "slack"', 'webhook_kind = "irc"', "notifications.webhook_kind: Input"),
    ],
)
def test_settings_of_the_watching_side(before: str, after: str, words: str) -> None:
    test_mistakes_are_named(before, after, words)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('model = "linear"', 'model = "boosted"', "a boosted model needs scikit-learn"),
        ('model = "linear"', 'model = "transformer"', 'a transformer needs export = "onnx-int8"'),
        ('"train.py"', '"mine.py"', "Lambda serves the models of train.py alone"),
        ("max_instances = 1  ", "max_instances = 2  ", "it scales by itself"),
        ("bake_seconds = 0", "bake_seconds = 60", "takes over at once"),
        ('engine = "driftloop"', 'engine = "managed"', "Model Monitor watches endpoints"),
    ],
)
def test_what_a_model_in_lambda_cannot_be(before: str, after: str, words: str) -> None:
    served = GOOD.replace('serving = "endpoint"', 'serving = "lambda"')
    assert settings.parse(served).endpoint.in_lambda
    assert served.count(before) == 1
    with pytest.raises(settings.SettingsError, match="endpoint.serving is lambda: .*" + words):
        settings.parse(served.replace(before, after))


@pytest.mark.parametrize(
    "words", ["daily", "rate(1 minute)", "rate(15 minutes)", "cron(0 6 ? * MON-FRI *)"]
)
def test_schedules(words: str) -> None:
    found = settings.parse(GOOD.replace('schedule = "hourly"', f'schedule = "{words}"'))
    assert found.monitor.schedule == words


@pytest.mark.parametrize("strategy", ["canary", "linear"])
def test_a_canary_is_large_enough_to_set_off_the_alarm_on_errors(strategy: str) -> None:
    """The alarm is the average of what both fleets answered."""
    given = {"strategy": strategy, "bake_seconds": 600, "max_error_rate": 0.1}
    with pytest.raises(ValidationError, match=r"share is 0\.1 and max_error_rate 0\.1"):
        Rollout.model_validate({**given, "share": 0.1})
    assert Rollout.model_validate({**given, "share": 0.2}).percent == 20
    assert Rollout(share=0.01, max_error_rate=0.1).bake_seconds == 0  # all at once: no share
