"""Events in any order, twice or never; functions that crash at any call: every accepted file ends
in exactly one successful run. The loop's own code, on AWS in memory.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib import records, runs
from chalicelib.ingest import arrivals, coalesce, intake, unheard
from tests.unit.loop.memory_cloud import CrashError, content, in_memory

BAD = 0  # the content that intake refuses
CRASH = st.none() | st.tuples(st.integers(1, 8), st.booleans())


class Loop(RuleBasedStateMachine):
    """Drops, deliveries, looks, sweeps, ends of runs and crashes, in any order."""

    @initialize()
    def begin(self) -> None:
        self.memory = in_memory(max_attempts=1000, max_batch=3)
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
    @rule(data=st.data(), crash=CRASH)
    def deliver(self, data: st.DataObject, crash: Any) -> None:
        """Any event, again or for the first time; those never chosen are lost."""
        event = data.draw(st.sampled_from(self.events))
        self.run(lambda: intake.arrived(event), crash)

    @rule()
    def read_what_waits(self) -> None:
        """A look that comes to its decision late, when others have acted."""
        self.stale = arrivals.pending("reviews")

    @precondition(lambda self: self.stale)
    @rule(crash=CRASH)
    def start_late(self, crash: Any) -> None:
        ids = [str(each["arrival_id"]) for each in self.stale]
        cause_id = f"late-{self.cloud.now}"
        self.run(lambda: runs.start("retry", "late", cause_id, ids), crash)
        self.stale = []

    @rule(crash=CRASH)
    def look(self, crash: Any) -> None:
        self.run(coalesce.woken, crash)

    @rule(crash=CRASH)
    def sweep(self, crash: Any) -> None:
        self.run(coalesce.sweep, crash)
        self.events += [json.loads(payload) for payload in self.cloud.invoked]
        self.cloud.invoked.clear()

    @precondition(lambda self: self.running())
    @rule(well=st.booleans(), crash=CRASH, data=st.data())
    def end_a_run(self, well: bool, crash: Any, data: st.DataObject) -> None:
        """The machine's last step; where it crashes the execution has ended all the same."""
        name = data.draw(st.sampled_from(self.running()))

        def last_step() -> None:
            if well:
                runs.succeed(name, outcome="deployed")
            else:
                runs.fail(name, "it failed")

        self.convert(name)
        self.run(last_step, crash)
        self.cloud.executions[name]["status"] = "SUCCEEDED" if well else "FAILED"

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
        for arrival in self.accepted():
            if arrival["status"] == "done":
                assert by_id[arrival["run_id"]]["status"] == "succeeded"

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

    def run(self, act: Any, crash: Any) -> None:
        """A function's call, which may end in a crash."""
        self.cloud.calls_left, self.cloud.after = crash or (None, False)
        try:
            act()
        except (CrashError, runs.RunEndedError):
            pass
        finally:
            self.cloud.calls_left = None
        self.cloud.tick(0.01)

    def running(self) -> list[str]:
        return [n for n, e in self.cloud.executions.items() if e["status"] == "RUNNING"]

    def rows(self, table: str) -> list[dict[str, Any]]:
        return [records.plain(row) for row in self.cloud.tables.get(table, {}).values()]

    def records(self) -> list[dict[str, Any]]:
        return self.rows("runs_table")

    def accepted(self) -> list[dict[str, Any]]:
        return [row for row in self.rows("arrivals_table") if "#" not in row["arrival_id"]]

    def settle(self) -> None:
        """From here on nothing crashes and every execution goes well: the loop mends the rest."""
        for _ in range(20):
            self.cloud.tick(2000)
            self.events.clear()
            self.sweep(None)
            for event in self.events:
                self.run(lambda event=event: intake.arrived(event), None)
            for name in self.running():
                self.convert(name)
                self.run(lambda name=name: runs.succeed(name, outcome="deployed"), None)
                self.cloud.executions[name]["status"] = "SUCCEEDED"

    def check_the_end(self) -> None:
        assert not [key for key, _ in self.cloud.objects if key.startswith("incoming/")]
        accepted = self.accepted()
        assert len(accepted) == len(self.dropped - {BAD})
        assert {arrival["status"] for arrival in accepted} <= {"done"}
        succeeded = [run for run in self.records() if run.get("status") == "succeeded"]
        taken = sorted(each for run in succeeded for each in run.get("arrivals", []))
        assert taken == sorted(arrival["arrival_id"] for arrival in accepted)
        assert self.cloud.curated == {run["run_id"] for run in succeeded if run["arrivals"]}
        drops = [r for r in self.rows("arrivals_table") if r["arrival_id"].startswith("drop#")]
        assert sum(each["became"] == "accepted" for each in drops) == len(accepted)
        assert {each["became"] for each in drops} <= {"accepted", "duplicate", "quarantined"}


TestLoop = Loop.TestCase
TestLoop.settings = settings(
    max_examples=100, stateful_step_count=60, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
