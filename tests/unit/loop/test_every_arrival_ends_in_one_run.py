"""Events in any order, twice or never; functions that crash at any call, or run in the middle of
one another; an index that lags; runs that fail, that quality refuses, that a person retries: every
accepted file ends in exactly one successful run, or in quarantine where Athena cannot read it. The
loop's own code, on AWS in memory.
"""

from __future__ import annotations

import gzip
import json
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib import records, retry, runs
from chalicelib.errors import ApiError
from chalicelib.ingest import arrivals, coalesce, intake, unheard
from tests.unit.loop.memory_cloud import CrashError, content, in_memory

BAD = 0  # the content that intake refuses
CRASH = st.none() | st.tuples(st.integers(1, 8), st.booleans())
# Before which call of a function another one runs, and which.
MEANWHILE = st.none() | st.tuples(
    st.integers(1, 12), st.sampled_from(["look", "sweep", "intake", "end"]), st.integers(0, 5)
)
WAYS = ("well", "badly", "refused", "damaged")


class Loop(RuleBasedStateMachine):
    """Drops, deliveries, looks, sweeps, ends of runs, retries and crashes, in any order."""

    @initialize()
    def begin(self) -> None:
        self.memory = in_memory(max_attempts=2, max_batch=3)
        self.cloud = self.memory.__enter__()
        self.events: list[dict[str, Any]] = []
        self.dropped: set[int] = set()
        self.stale: list[dict[str, Any]] = []

    def teardown(self) -> None:
        if not hasattr(self, "cloud"):
            return
        try:
            self.settle()
            self.check_the_end()
        finally:
            self.memory.__exit__(None, None, None)

    @rule(number=st.integers(0, 5), name=st.sampled_from("ab"))
    def drop(self, number: int, name: str) -> None:
        listed = self.cloud.drop(f"incoming/reviews/{name}.tsv", content(number))
        self.dropped.add(number)
        self.events.append(unheard.event("bucket", listed))

    @precondition(lambda self: self.events)
    @rule(data=st.data(), crash=CRASH, meanwhile=MEANWHILE)
    def deliver(self, data: st.DataObject, crash: Any, meanwhile: Any) -> None:
        """Any event, again or for the first time; those never chosen are lost."""
        event = data.draw(st.sampled_from(self.events))
        self.run(lambda: intake.arrived(event), crash, meanwhile)

    @rule()
    def read_what_waits(self) -> None:
        """A look that comes to its decision late, when others have acted."""
        self.stale = list(arrivals.pending("reviews"))

    @rule(lags=st.booleans())
    def index(self, lags: bool) -> None:
        """The index of what waits stands still, or shows what is."""
        (self.cloud.lag if lags else self.cloud.follow)()

    @precondition(lambda self: self.stale)
    @rule(crash=CRASH, meanwhile=MEANWHILE)
    def start_late(self, crash: Any, meanwhile: Any) -> None:
        ids = [str(each["arrival_id"]) for each in self.stale]
        cause_id = f"late-{self.cloud.now}"
        self.run(lambda: runs.start("retry", "late", cause_id, ids), crash, meanwhile)
        self.stale = []

    @rule(crash=CRASH, meanwhile=MEANWHILE)
    def look(self, crash: Any, meanwhile: Any) -> None:
        self.run(coalesce.woken, crash, meanwhile)

    @rule(crash=CRASH, meanwhile=MEANWHILE)
    def sweep(self, crash: Any, meanwhile: Any = None) -> None:
        self.run(coalesce.sweep, crash, meanwhile)
        self.events += [json.loads(payload) for payload in self.cloud.invoked]
        self.cloud.invoked.clear()

    @precondition(lambda self: self.running())
    @rule(how=st.sampled_from(WAYS), crash=CRASH, meanwhile=MEANWHILE, data=st.data())
    def end_a_run(self, how: str, crash: Any, meanwhile: Any, data: st.DataObject) -> None:
        self.end(data.draw(st.sampled_from(self.running())), how, crash, meanwhile)

    @precondition(lambda self: self.failed())
    @rule(crash=CRASH, meanwhile=MEANWHILE, data=st.data())
    def retry_a_run(self, crash: Any, meanwhile: Any, data: st.DataObject) -> None:
        """A person takes a failed run's files up again, broken checks and all."""
        self.retry(data.draw(st.sampled_from(self.failed())), crash, meanwhile)

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def lose_a_run(self, data: st.DataObject) -> None:
        """The execution ends without a last word."""
        name = data.draw(st.sampled_from(self.running()))
        self.convert(name)
        self.cloud.executions[name]["status"] = "ABORTED"

    @rule(seconds=st.sampled_from([0.5, 2, 200, 2000]))
    def wait(self, seconds: float) -> None:
        self.cloud.tick(seconds)

    @invariant()
    def nothing_is_done_twice(self) -> None:
        if not hasattr(self, "cloud"):
            return
        succeeded = [run for run in self.records() if run.get("status") == "succeeded"]
        taken = [each for run in succeeded for each in run.get("arrivals", [])]
        assert len(taken) == len(set(taken))
        by_id = {run["run_id"]: run for run in self.records() if "status" in run}
        ended = {"done": "succeeded", "held": "failed"}
        for arrival in self.accepted():
            if arrival["status"] in ended:
                assert by_id[arrival["run_id"]]["status"] == ended[arrival["status"]]
            waits = "waiting_since" in arrival
            assert waits == (arrival["status"] == "pending")

    @invariant()
    def the_rows_of_what_was_accepted_lie_there_once(self) -> None:
        if not hasattr(self, "cloud"):
            return
        for arrival in self.accepted():
            prefix = f"text/reviews/arrival={arrival['arrival_id']}/"
            parts = [b for (key, _), (b, _) in self.cloud.objects.items() if key.startswith(prefix)]
            assert [len(gzip.decompress(part).splitlines()) for part in parts] == [2]

    @invariant()
    def only_rows_of_runs_under_way_or_learned_from_are_curated(self) -> None:
        if not hasattr(self, "cloud"):
            return
        lease = {run["run"] for run in self.records() if run["run_id"] == "#lease"}
        assert self.cloud.curated <= self.succeeded() | lease

    def convert(self, name: str) -> None:
        """The first steps of the machine; not those of a run that was closed meanwhile."""
        try:
            runs.begin(name)
        except runs.RunEndedError:
            return
        if (runs.get(name) or {})["arrivals"]:
            self.cloud.curate(name)

    def succeeded(self) -> set[str]:
        return {run["run_id"] for run in self.records() if run.get("status") == "succeeded"}

    def run(self, act: Any, crash: Any, meanwhile: Any = None) -> None:
        """A function's call, which may end in a crash, or have another one in the middle."""
        self.cloud.calls_left, self.cloud.after = crash or (None, False)
        if meanwhile:
            call, kind, number = meanwhile
            self.cloud.meanwhile = call, lambda: self.other(kind, number)
        try:
            act()
        except (CrashError, runs.RunEndedError, ApiError):
            pass
        finally:
            self.cloud.calls_left = self.cloud.meanwhile = None
        self.cloud.tick(0.01)

    def other(self, kind: str, number: int) -> None:
        """A whole function between two calls of another."""
        before = self.cloud.calls_left, self.cloud.after
        self.cloud.calls_left = None
        if kind == "look":
            self.run(coalesce.woken, None)
        elif kind == "sweep":
            self.sweep(None)
        elif kind == "intake" and self.events:
            event = self.events[number % len(self.events)]
            self.run(lambda: intake.arrived(event), None)
        elif kind == "end" and self.running():
            self.end(self.running()[0], WAYS[number % 4], None)
        self.cloud.calls_left, self.cloud.after = before

    def end(self, name: str, how: str, crash: Any, meanwhile: Any = None) -> None:
        """The machine's last step; where it crashes the execution has ended all the same."""

        def last_step() -> None:
            if how == "well":
                runs.succeed(name, outcome="deployed")
            else:
                files = (runs.get(name) or {})["arrivals"]
                damaged = files[0] if files and how == "damaged" else None
                runs.fail(name, "it failed", damaged=damaged)

        self.convert(name)
        if how == "refused":
            runs.record(name, quality={"passed": False})
        self.run(last_step, crash, meanwhile)
        self.cloud.executions[name]["status"] = "SUCCEEDED" if how == "well" else "FAILED"

    def retry(self, run: dict[str, Any], crash: Any, meanwhile: Any = None) -> None:
        refused = runs.refused_for_quality(run)
        wishes = {"accept_quality": True, "why": "it is so"} if refused else {}
        self.run(lambda: retry.retry(run["run_id"], wishes, "a person"), crash, meanwhile)

    def running(self) -> list[str]:
        return [n for n, e in self.cloud.executions.items() if e["status"] == "RUNNING"]

    def failed(self) -> list[dict[str, Any]]:
        return [run for run in self.records() if run.get("status") == "failed"]

    def rows(self, table: str) -> list[dict[str, Any]]:
        return [records.plain(row) for row in self.cloud.tables.get(table, {}).values()]

    def records(self) -> list[dict[str, Any]]:
        return self.rows("runs_table")

    def accepted(self) -> list[dict[str, Any]]:
        return [row for row in self.rows("arrivals_table") if "#" not in row["arrival_id"]]

    def settle(self) -> None:
        """From here on nothing crashes, every execution goes well and a person looks after what
        is held: the loop mends the rest.
        """
        self.cloud.follow()
        for _ in range(20):
            self.cloud.tick(2000)
            self.events.clear()
            self.sweep(None)
            for event in self.events:
                self.run(lambda event=event: intake.arrived(event), None)
            for name in self.running():
                self.end(name, "well", None)
            held = {each["run_id"] for each in self.accepted() if each["status"] == "held"}
            for run in self.failed():
                if run["run_id"] in held:
                    self.retry(run, None)

    def check_the_end(self) -> None:
        assert not [key for key, _ in self.cloud.objects if key.startswith("incoming/")]
        accepted = {str(each["arrival_id"]) for each in self.accepted()}
        damaged = {str(r["arrival"]) for r in self.rows("arrivals_table") if "arrival" in r}
        assert len(accepted | damaged) == len(self.dropped - {BAD})
        assert {arrival["status"] for arrival in self.accepted()} <= {"done"}
        succeeded = [run for run in self.records() if run.get("status") == "succeeded"]
        taken = sorted(each for run in succeeded for each in run.get("arrivals", []))
        assert taken == sorted(accepted)
        assert self.cloud.curated == {run["run_id"] for run in succeeded if run["arrivals"]}
        drops = [r for r in self.rows("arrivals_table") if r["arrival_id"].startswith("drop#")]
        taken_in = sum(each["became"] == "accepted" for each in drops)
        assert taken_in >= len(accepted | damaged)  # what was put aside may have come again
        assert damaged or taken_in == len(accepted)
        assert {each["became"] for each in drops} <= {"accepted", "duplicate", "quarantined"}


TestLoop = Loop.TestCase
TestLoop.settings = settings(
    max_examples=100, stateful_step_count=60, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
