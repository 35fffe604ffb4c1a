"""What many files, late decisions and crashes come to, step by step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib import runs
from chalicelib.errors import ApiError
from chalicelib.ingest import arrivals, coalesce, intake, unheard
from chalicelib.model import deployments
from chalicelib.model.deployments import Deployment
from chalicelib.model.traffic import Serving
from chalicelib.reading import inspection
from tests.unit.loop.memory_cloud import Catalog, Cloud, CrashError, content, in_memory


def take(cloud: Cloud, *numbers: int) -> list[str]:
    """Files dropped and taken in; the arrivals' ids."""
    listed = [cloud.drop(f"incoming/reviews/{n}.tsv", content(n)) for n in numbers]
    answers = [intake.arrived(unheard.event("bucket", each)) for each in listed]
    return [str(answer["arrival_id"]) for answer in answers]


def status(arrival_id: str) -> str:
    return str((arrivals.get("reviews", arrival_id) or {})["status"])


def run_of(cloud: Cloud) -> dict[str, Any]:
    """The newest run."""
    found = runs.get(list(cloud.executions)[-1])
    assert found is not None
    return found


def end(cloud: Cloud) -> None:
    """The active run goes well."""
    name = str(run_of(cloud)["run_id"])
    runs.begin(name)
    runs.succeed(name, outcome="deployed")
    cloud.executions[name]["status"] = "SUCCEEDED"


def test_a_thousand_files_at_once_make_one_run(memory: Cloud) -> None:
    ids = take(memory, *range(1, 1001))
    memory.tick(5)
    assert coalesce.woken()["files"] == 1000
    assert sorted(run_of(memory)["arrivals"]) == sorted(ids)
    end(memory)
    assert {status(each) for each in ids} == {"done"}
    assert coalesce.woken() == {"waiting": 0}


def test_a_look_reads_what_waits_and_not_what_ever_came(memory: Cloud) -> None:
    take(memory, *range(1, 101))
    memory.tick(5)
    coalesce.woken()
    end(memory)
    take(memory, 101, 102)
    memory.read = 0
    memory.tick(5)
    assert coalesce.woken()["files"] == 2
    assert memory.read == 2


def test_a_thousand_files_ask_for_a_look_a_second_at_most() -> None:
    with in_memory(quiet_seconds=5) as memory:
        for number in range(1, 1001):
            take(memory, number)
            memory.tick(0.01)
        assert len(memory.delays) <= 3  # ten seconds, a quiet window each


def test_a_look_asks_for_the_next_one_while_files_wait_that_are_not_due() -> None:
    with in_memory(quiet_seconds=5) as memory:
        take(memory, 1)
        memory.tick(4)
        take(memory, 2)  # the look that is under way comes too early for this one
        assert memory.delays == [5]
        memory.tick(1)
        assert coalesce.woken() == {"waiting": 2}
        assert memory.delays == [5, 4]
        memory.tick(4)
        assert coalesce.woken()["files"] == 2
        assert memory.delays == [5, 4]


def test_the_quiet_window_goes_by_while_a_file_is_taken_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inspect = inspection.inspect
    with in_memory(quiet_seconds=60) as memory:

        def slow(*given: Any, **named: Any) -> Any:
            memory.tick(50)
            return inspect(*given, **named)

        monkeypatch.setattr(inspection, "inspect", slow)
        take(memory, 1)
        assert memory.delays == [10]
        memory.tick(10)
        assert coalesce.woken()["files"] == 1


def test_an_index_that_lags_neither_shows_a_file_twice_nor_loses_one(memory: Cloud) -> None:
    ids = take(memory, 1, 2)
    memory.tick(5)
    memory.lag()
    coalesce.woken()
    end(memory)
    take(memory, 3)
    assert list(arrivals.pending("reviews")) == []  # it still names 1 and 2, which are done
    assert coalesce.woken() == {"waiting": 0}
    assert sorted(run_of(memory)["arrivals"]) == sorted(ids)
    memory.follow()
    memory.tick(5)
    assert coalesce.sweep()["files"] == 1


def test_more_than_a_batch_makes_more_runs() -> None:
    with in_memory(max_batch=40) as memory:
        ids = take(memory, *range(1, 101))
        counts = []
        for _ in range(3):
            memory.tick(5)
            counts.append(coalesce.woken()["files"])
            end(memory)
        assert counts == [40, 40, 20]
        assert {status(each) for each in ids} == {"done"}


def test_while_a_run_is_active_files_wait(memory: Cloud) -> None:
    (first,) = take(memory, 1)
    memory.tick(5)
    coalesce.woken()
    (second,) = take(memory, 2)
    memory.tick(5)
    assert "is active" in coalesce.woken()["why"]
    assert (status(first), status(second)) == ("claimed", "pending")


def test_a_decision_that_comes_late_takes_only_what_still_waits(memory: Cloud) -> None:
    ids = take(memory, 1, 2)
    memory.tick(5)
    coalesce.woken()
    end(memory)
    (third,) = take(memory, 3)
    assert isinstance(runs.start("data", "late", "late", [*ids, third]), runs.RunStarted)
    assert run_of(memory)["arrivals"] == [third]
    end(memory)
    assert isinstance(runs.start("data", "late", "later", ids), runs.NotStarted)
    assert len(memory.executions) == 2


@pytest.mark.parametrize("call", range(1, 7))
@pytest.mark.parametrize("after", [False, True])
def test_a_start_that_crashes_anywhere_is_gone_on_with(
    memory: Cloud, call: int, after: bool
) -> None:
    ids = take(memory, 1, 2)
    memory.tick(5)
    memory.calls_left, memory.after = call, after
    with pytest.raises(CrashError):
        coalesce.woken()
    memory.tick(200)
    coalesce.sweep()
    assert sorted(run_of(memory)["arrivals"]) == sorted(ids)
    end(memory)
    assert len(memory.executions) == 1
    assert {status(each) for each in ids} == {"done"}


@pytest.mark.parametrize("call", range(1, 8))
@pytest.mark.parametrize("after", [False, True])
def test_an_end_that_crashes_anywhere_is_gone_on_with(
    memory: Cloud, call: int, after: bool
) -> None:
    ids = take(memory, 1, 2)
    memory.tick(5)
    coalesce.woken()
    name = str(run_of(memory)["run_id"])
    runs.begin(name)
    memory.calls_left, memory.after = call, after
    with pytest.raises(CrashError):
        runs.succeed(name, outcome="deployed")
    memory.executions[name]["status"] = "FAILED"
    memory.tick(200)
    coalesce.sweep()
    while any(status(each) != "done" for each in ids):
        memory.tick(200)
        coalesce.sweep()
        end(memory)
    assert (runs.get(name) or {})["status"] in ("succeeded", "failed")


def begun(cloud: Cloud) -> str:
    """A run of one file."""
    take(cloud, 1)
    cloud.tick(5)
    coalesce.woken()
    name = str(run_of(cloud)["run_id"])
    runs.begin(name)
    return name


def converting(cloud: Cloud) -> str:
    """A run of one file whose rows are curated; its end is not known yet."""
    name = begun(cloud)
    cloud.curate(name)
    return name


def test_what_a_failed_run_curated_is_gone_before_another_may_start(memory: Cloud) -> None:
    name = converting(memory)
    runs.fail(name, "it failed")
    assert memory.curated == set()
    assert runs.active() is None


def test_what_a_run_that_went_well_curated_stays(memory: Cloud) -> None:
    name = converting(memory)
    end(memory)
    assert memory.curated == {name}


@pytest.mark.parametrize("call", range(1, 14))
@pytest.mark.parametrize("after", [False, True])
def test_a_failure_that_crashes_anywhere_leaves_no_rows(
    memory: Cloud, call: int, after: bool
) -> None:
    name = converting(memory)
    memory.calls_left, memory.after = call, after
    with pytest.raises(CrashError):
        runs.fail(name, "it failed")
    memory.executions[name]["status"] = "FAILED"
    memory.tick(200)
    coalesce.sweep()
    assert name not in memory.curated
    runs.fail(name, "the execution ended as FAILED")  # as the event of its end says
    assert (runs.get(name) or {})["status"] == "failed"
    assert memory.told == [f"Run {name} failed"]


def test_of_a_run_that_never_began_nothing_is_looked_for(
    memory: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's word stops it through the API, whose role reaches no curated rows."""
    take(memory, 1)
    memory.tick(5)
    coalesce.woken()
    monkeypatch.delattr(Catalog, "get_partitions")
    runs.fail(str(run_of(memory)["run_id"]), "stopped")
    assert runs.active() is None


def test_a_file_that_failed_too_often_waits_for_a_person() -> None:
    with in_memory(max_attempts=2) as memory:
        (held,) = take(memory, 1)
        for wanted in ("pending", "held"):
            memory.tick(5)
            coalesce.woken()
            runs.fail(str(run_of(memory)["run_id"]), "it failed")
            assert status(held) == wanted
        memory.tick(5)
        assert coalesce.woken() == {"waiting": 0}


def test_a_run_whose_model_takes_over_is_not_stopped(memory: Cloud) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html"""
    run_id = begun(memory)
    runs.deploy(run_id)
    runs.deploy(run_id)  # the step was tried again
    with pytest.raises(ApiError, match="`driftloop rollback` leaves it again") as refused:
        runs.stop(run_id, "ada", "a mistake")
    assert (refused.value.status, refused.value.code) == (409, "deploying")
    assert memory.executions[run_id]["status"] == "RUNNING"
    assert runs.fail(run_id, "the alarm fired")
    with pytest.raises(runs.RunEndedError):
        runs.deploy(run_id)


def test_what_takes_over_is_looked_at_by_the_function_that_may(memory: Cloud) -> None:
    assert deployments.sweep() == "none is under way"
    planned = Deployment("execution:1", "rollback", "reviews", "reviews-1", "group/1", Serving(1))
    deployments.begin(planned)
    assert deployments.sweep() == "looked at"
    assert [json.loads(each) for each in memory.invoked] == [{"step": "settle", "run": {}}]
    assert deployments.find("1") == planned
