"""As much of AWS as intake, coalescing and runs use, in memory; any call may be the last of its
function: a crash comes before the call does its work, or right after. Another function may run
between two calls of one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from chalicelib import clients, clock, settings
from chalicelib.environment import Environment

Item = dict[str, Any]
CURATED = "curated/reviews/"


def content(number: int) -> bytes:
    """A file of one row; equal numbers are equal files; 0 is one that intake refuses."""
    names = [column.name for column in settings.load().dataset.columns]
    if not number:
        return b"no,header\n"
    row = dict.fromkeys(names, "x") | {"review_id": f"R{number}", "star_rating": "5"}
    return ("\t".join(names) + "\n" + "\t".join(row[name] for name in names) + "\n").encode()


class CrashError(BaseException):
    """The function ends here, as if its machine were gone: nothing in it catches this."""


class Refused(Exception):  # noqa: N818 - stands for botocore's ClientError
    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}, **more}


class ConditionFailed(Refused):
    pass


class Cancelled(Refused):
    pass


class Missing(Refused):
    pass


class Existing(Refused):
    pass


class Exceptions:
    ClientError = Refused
    ConditionalCheckFailedException = ConditionFailed
    TransactionCanceledException = Cancelled
    ExecutionDoesNotExist = Missing
    ExecutionAlreadyExists = Existing
    NoSuchKey = Missing
    EntityNotFoundException = Missing


class Cloud:
    """Its clients, its clock, and the call that crashes next."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
        self.calls_left: int | None = None
        self.after = False
        self.meanwhile: tuple[int, Callable[[], Any]] | None = None  # before that call: once
        self.tables: dict[str, dict[tuple[str, ...], Item]] = {}
        self.indexed: list[Item] | None = None  # what the index shows while it lags behind
        self.read = 0  # items that queries gave
        self.objects: dict[tuple[str, str], tuple[bytes, dt.datetime]] = {}
        self.executions: dict[str, Item] = {}
        self.partitions: set[tuple[str, str]] = set()  # of the curated table
        self.invoked: list[bytes] = []
        self.told: list[str] = []
        self.delays: list[int] = []  # of messages sent
        self._version = 0

    def client(self, service: str) -> Any:
        made = {
            "dynamodb": Tables,
            "s3": Objects,
            "stepfunctions": Machines,
            "glue": Catalog,
            "lambda": Functions,
            "sqs": Messages,
            "sns": Messages,
        }[service](self)
        return _Counted(self, made)

    def time(self) -> dt.datetime:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def lag(self) -> None:
        """The index of arrivals shows what is, for a while; `follow` ends that."""
        self.indexed = self.waiting()

    def follow(self) -> None:
        self.indexed = None

    def waiting(self) -> list[Item]:
        """The sparse index: items that have its sort key, in its order."""
        rows = self.tables.get("arrivals_table", {}).values()
        found = [dict(row) for row in rows if "waiting_since" in row]
        return sorted(found, key=lambda row: str(row["waiting_since"]["S"]))

    def drop(self, key: str, body: bytes) -> Item:
        """Put an object; returns it as S3 lists it."""
        self._version += 1
        self.objects[key, f"v{self._version}"] = (body, self.now)
        return {"Key": key, "VersionId": f"v{self._version}", "Size": len(body)}

    def curate(self, run_id: str) -> None:
        """What the machine's conversion leaves."""
        for value in "ab":
            self.partitions.add((run_id, value))
            self.objects[f"{CURATED}run={run_id}/product_category={value}/0", "v0"] = (
                b"",
                self.now,
            )

    @property
    def curated(self) -> set[str]:
        """Runs of which anything is in the curated table or lies where it reads."""
        keys = [key.removeprefix(CURATED) for key, _ in self.objects if key.startswith(CURATED)]
        files = {key.split("/")[0].removeprefix("run=") for key in keys}
        return {run_id for run_id, _ in self.partitions} | files

    def around(self, act: Callable[[], Any]) -> Any:
        """A call, or the crash that is due; before it, what another function does meanwhile."""
        if self.meanwhile:
            left, other = self.meanwhile
            self.meanwhile = (left - 1, other) if left > 1 else None
            if left <= 1:
                other()
        if self.calls_left is None:
            return act()
        self.calls_left -= 1
        if self.calls_left > 0:
            return act()
        self.calls_left = None
        if self.after:
            act()
        raise CrashError


class _Counted:
    """A client whose every call may crash."""

    exceptions = Exceptions

    def __init__(self, cloud: Cloud, made: Any) -> None:
        self._cloud, self._made = cloud, made

    def get_paginator(self, name: str) -> Any:
        operation = getattr(self, name)

        class Pages:
            def paginate(self, **request: Any) -> Iterator[Any]:
                request.pop("PaginationConfig", None)
                yield operation(**request)

        return Pages()

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._made, name)
        return lambda **request: self._cloud.around(lambda: operation(**request))


class Part:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud


class Tables(Part):
    """DynamoDB with the expressions that the loop writes."""

    def put_item(self, **request: Any) -> Item:
        if not self._holds({"Put": request}):
            raise ConditionFailed("ConditionalCheckFailedException")
        self._apply({"Put": request})
        return {}

    def update_item(self, **request: Any) -> Item:
        if not self._holds({"Update": request}):
            raise ConditionFailed("ConditionalCheckFailedException")
        self._apply({"Update": request})
        return {}

    def delete_item(self, **request: Any) -> Item:
        if not self._holds({"Delete": request}):
            raise ConditionFailed("ConditionalCheckFailedException")
        self._apply({"Delete": request})
        return {}

    def transact_write_items(self, TransactItems: list[Item]) -> Item:  # noqa: N803
        held = [self._holds(each) for each in TransactItems]
        if not all(held):
            codes = [{"Code": "None" if ok else "ConditionalCheckFailed"} for ok in held]
            raise Cancelled("TransactionCanceledException", CancellationReasons=codes)
        for each in TransactItems:
            self._apply(each)
        return {}

    def get_item(self, **request: Any) -> Item:
        found = self._table(request).get(_key(request["Key"]))
        return {"Item": dict(found)} if found else {}

    def batch_get_item(self, RequestItems: Item) -> Item:  # noqa: N803
        ((table, wanted),) = RequestItems.items()
        rows = self._table({"TableName": table})
        found = [rows[_key(key)] for key in wanted["Keys"] if _key(key) in rows]
        return {"Responses": {table: found}}

    def query(self, **request: Any) -> Item:
        """Records of the runs table by their keys; or of the arrivals' index, which gives keys only
        and no consistent reads."""
        if "IndexName" not in request:
            rows = [row for _, row in sorted(self._table(request).items())]
            return {"Items": [row for row in rows if _true(request, row, "KeyConditionExpression")]}
        assert (request["IndexName"], "ConsistentRead" in request) == ("pending", False)
        rows = self.cloud.waiting() if self.cloud.indexed is None else self.cloud.indexed
        dataset = request["ExpressionAttributeValues"][":d"]
        keys = ("dataset", "arrival_id", "waiting_since")
        found = [{key: row[key] for key in keys} for row in rows if row["dataset"] == dataset]
        self.cloud.read += len(found)
        return {"Items": found}

    def _table(self, request: Item) -> dict[tuple[str, ...], Item]:
        return self.cloud.tables.setdefault(request["TableName"], {})

    def _holds(self, change: Item) -> bool:
        ((_, request),) = change.items()
        key = request.get("Key") or request["Item"]
        return _true(request, self._table(request).get(_key(key), {}), "ConditionExpression")

    def _apply(self, change: Item) -> None:
        ((kind, request),) = change.items()
        key = _key(request.get("Key") or request["Item"])
        if kind == "Delete":
            self._table(request).pop(key, None)
        elif kind == "Put":
            self._table(request)[key] = dict(request["Item"])
        else:
            row = dict(self._table(request).get(key, request["Key"]))
            _set(request, row)
            self._table(request)[key] = row


class Objects(Part):
    """S3 with versions; the loop always names one in incoming/."""

    def get_object(self, **request: Any) -> Item:
        where = request["Key"], request.get("VersionId", "v0")
        if where not in self.cloud.objects:
            raise Missing("NoSuchVersion")
        content, _ = self.cloud.objects[where]

        class Body(io.BytesIO):
            def iter_chunks(self, size: int) -> Iterator[bytes]:
                yield content

        return {"Body": Body(content), "Metadata": {}}

    def copy_object(self, **request: Any) -> Item:
        source = request["CopySource"]
        found = self.cloud.objects.get((source["Key"], source.get("VersionId", "v0")))
        if found is None:
            raise Missing("NoSuchVersion")
        self.cloud.objects[request["Key"], "v0"] = found
        etag = hashlib.md5(found[0]).hexdigest()
        return {"CopyObjectResult": {"ETag": f'"{etag}"'}}

    def put_object(self, **request: Any) -> Item:
        self.cloud.objects[request["Key"], "v0"] = (request["Body"], self.cloud.now)
        return {}

    def delete_object(self, **request: Any) -> Item:
        self.cloud.objects.pop((request["Key"], request.get("VersionId", "v0")), None)
        return {}

    def delete_objects(self, **request: Any) -> Item:
        for each in request["Delete"]["Objects"]:
            self.cloud.objects.pop((each["Key"], "v0"), None)
        return {}

    def list_objects_v2(self, **request: Any) -> Item:
        listed = [
            {"Key": key, "Size": len(content)}
            for (key, _), (content, _) in self.cloud.objects.items()
            if key.startswith(request["Prefix"])
        ]
        return {"Contents": listed}

    def list_object_versions(self, **request: Any) -> Item:
        listed = [
            {"Key": key, "VersionId": version, "Size": len(content), "LastModified": at}
            for (key, version), (content, at) in self.cloud.objects.items()
            if key.startswith(request["Prefix"])
        ]
        return {"Versions": listed}


class Machines(Part):
    """Step Functions: executions by name, each taken once."""

    def start_execution(self, **request: Any) -> Item:
        if request["name"] in self.cloud.executions:
            raise Existing("ExecutionAlreadyExists")
        self.cloud.executions[request["name"]] = {"status": "RUNNING", "input": request["input"]}
        return {}

    def describe_execution(self, executionArn: str) -> Item:  # noqa: N803
        name = executionArn.rsplit(":", 1)[-1]
        if name not in self.cloud.executions:
            raise Missing("ExecutionDoesNotExist")
        return {"status": self.cloud.executions[name]["status"], "cause": "it was stopped"}


class Catalog(Part):
    """Glue: the partitions of the curated table."""

    def get_partitions(self, **request: Any) -> Item:
        wanted = re.fullmatch(r"run = '(\S+)'", request["Expression"])
        assert wanted
        found = sorted(each for each in self.cloud.partitions if each[0] == wanted[1])
        return {"Partitions": [{"Values": list(each)} for each in found]}

    def batch_delete_partition(self, **request: Any) -> Item:
        self.cloud.partitions -= {tuple(each["Values"]) for each in request["PartitionsToDelete"]}
        return {"Errors": []}


class Functions(Part):
    def invoke(self, **request: Any) -> Item:
        self.cloud.invoked.append(request["Payload"])
        return {}


class Messages(Part):
    def send_message(self, **request: Any) -> Item:
        self.cloud.delays.append(request["DelaySeconds"])
        return {}

    def publish(self, **request: Any) -> Item:
        self.cloud.told.append(request["Subject"])
        return {}


def _key(values: Item) -> tuple[str, ...]:
    names = ("dataset", "arrival_id") if "dataset" in values else ("pipeline", "run_id")
    if "pipeline" in values:
        names = ("pipeline", "run_id")
    return tuple(values[name]["S"] for name in names)


def _true(request: Item, row: Item, expression: str) -> bool:
    """Conditions joined by AND, or by OR."""
    if expression not in request:
        return True
    text = request[expression]
    if " OR " in text:
        return any(_met(request, row, each) for each in text.split(" OR "))
    return all(_met(request, row, each) for each in text.split(" AND "))


def _met(request: Item, row: Item, condition: str) -> bool:
    """A condition: attribute_not_exists, an IN, an equality or an order of texts."""
    values = request.get("ExpressionAttributeValues", {})
    if found := re.fullmatch(r"attribute_not_exists\((\S+)\)", condition):
        return _name(request, found[1]) not in row
    if found := re.fullmatch(r"(\S+) = (:\w+)", condition):
        return bool(row.get(_name(request, found[1])) == values[found[2]])
    if found := re.fullmatch(r"(\S+) <= (:\w+)", condition):
        known = row.get(_name(request, found[1]))
        return known is not None and known["S"] <= values[found[2]]["S"]
    if found := re.fullmatch(r"(\S+) IN \((.+)\)", condition):
        listed = [values[mark] for mark in found[2].split(", ")]
        return row.get(_name(request, found[1])) in listed
    if found := re.fullmatch(r"begins_with\((\S+), (:\w+)\)", condition):
        known = row.get(_name(request, found[1]))
        return known is not None and known["S"].startswith(values[found[2]]["S"])
    raise AssertionError(f"a condition that the memory cloud does not know: {condition}")


def _set(request: Item, row: Item) -> None:
    """SET of values or of another attribute; then REMOVE."""
    values = request["ExpressionAttributeValues"]
    changes, _, removed = request["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
    for name, value in re.findall(r"([#\w]+) = (:?\w+)", changes):
        known = _name(request, name)
        row[known] = values[value] if value.startswith(":") else row[value]
    for name in filter(None, removed.split(", ")):
        row.pop(_name(request, name), None)


def _name(request: Item, name: str) -> str:
    return str(request.get("ExpressionAttributeNames", {}).get(name, name))


NAMES = {name.upper(): name for name in Environment.__dataclass_fields__} | {
    "RETRAIN_MACHINE_ARN": "arn:aws:states:us-east-1:1:stateMachine:retrain",
    "INTAKE_FUNCTION": "intake",
    "RUN_STEP_FUNCTION": "run-step",
}


@contextmanager
def in_memory(**intake: Any) -> Iterator[Cloud]:
    """A cloud in memory that the loop's code runs on, with settings of `[intake]`."""
    loaded = settings.load()
    chosen = loaded.model_copy(update={"intake": loaded.intake.model_copy(update=intake)})
    cloud = Cloud()
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(clients, "client", cloud.client))
        stack.enter_context(mock.patch.object(clock, "now", cloud.time))
        stack.enter_context(mock.patch.object(settings, "load", return_value=chosen))
        stack.enter_context(mock.patch.dict(os.environ, NAMES))
        yield cloud
