"""Glue's crawler actions over the crawls, and what the catalog beneath lacks.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-crawling.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from localcloud.glue import expressions
from localcloud.glue.catalog import Table
from localcloud.glue.crawls import Crawls, RefusedError
from localcloud.glue.policy import InvalidPolicyError, Policy

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, Mapping[str, str], bytes, Mapping[str, Any]], Awaitable[Response]]
Request = dict[str, Any]
Call = Callable[[str, Request], tuple[int, dict[str, Any]]]  # (action, request), blocking

PAGE = 100  # crawlers an answer where MaxResults does not say
DELETED_AT_ONCE = 25  # partitions a BatchDeletePartition


class Service:
    """Requests in, answers out. `definitions` holds the crawlers as the catalog keeps them."""

    def __init__(
        self,
        crawls: Crawls,
        definitions: Mapping[str, dict[str, Any]],
        beneath: Handler,
        call: Call,
    ) -> None:
        self._crawls, self._definitions, self._call = crawls, definitions, call
        self._beneath = beneath
        self._answers: dict[str, Callable[[Request], dict[str, Any]]] = {
            "StartCrawler": self.start,
            "StopCrawler": self.stop,
            "GetCrawler": self.get,
            "GetCrawlers": self.list,
            "BatchGetCrawlers": self.batch_get,
            "GetCrawlerMetrics": self.metrics,
            "BatchDeletePartition": self.delete_partitions,
        }
        self._checks: dict[str, Callable[[Request], None]] = {
            "CreateCrawler": self.may_create,
            "UpdateCrawler": self.may_update,
            "DeleteCrawler": self.may_delete,
        }

    async def handle(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, Any],
    ) -> Response:
        """One request; answers call this same server, so never on its loop."""
        action = headers.get("x-amz-target", "").removeprefix("AWSGlue.")
        try:
            if answer := self._answers.get(action):
                document = await asyncio.to_thread(answer, json.loads(body or b"{}"))
                return _reply(200, document)
            if check := self._checks.get(action):
                check(json.loads(body or b"{}"))
            told = await self._beneath(method, path, headers, body, query)
            if action == "GetPartitions" and b"Expression" in body:
                return await asyncio.to_thread(self.partitions, json.loads(body), told)
        except RefusedError as error:
            return _error(error.code, error.message)
        except InvalidPolicyError as error:
            return _error("InvalidInputException", str(error))
        except json.JSONDecodeError:
            return _error("SerializationException", "Invalid JSON")
        return _without_empty_owners(told) if action in ("GetTable", "GetTables") else told

    def start(self, request: Request) -> dict[str, Any]:
        """https://docs.aws.amazon.com/glue/latest/webapi/API_StartCrawler.html"""
        self._crawls.start(self._definition(request))
        return {}

    def stop(self, request: Request) -> dict[str, Any]:
        """https://docs.aws.amazon.com/glue/latest/webapi/API_StopCrawler.html"""
        self._crawls.stop(self._definition(request))
        return {}

    def get(self, request: Request) -> dict[str, Any]:
        """https://docs.aws.amazon.com/glue/latest/webapi/API_GetCrawler.html"""
        return {"Crawler": self._crawls.shown(self._definition(request))}

    def list(self, request: Request) -> dict[str, Any]:
        """https://docs.aws.amazon.com/glue/latest/webapi/API_GetCrawlers.html"""
        page, more = _page(sorted(self._definitions), request)
        return {"Crawlers": [self._crawls.shown(self._definitions[name]) for name in page], **more}

    def batch_get(self, request: Request) -> dict[str, Any]:
        """https://docs.aws.amazon.com/glue/latest/webapi/API_BatchGetCrawlers.html"""
        names = request.get("CrawlerNames") or []
        known = [self._definitions[name] for name in names if name in self._definitions]
        return {
            "Crawlers": [self._crawls.shown(each) for each in known],
            "CrawlersNotFound": [name for name in names if name not in self._definitions],
        }

    def metrics(self, request: Request) -> dict[str, Any]:
        """https://docs.aws.amazon.com/glue/latest/webapi/API_GetCrawlerMetrics.html"""
        asked = request.get("CrawlerNameList") or sorted(self._definitions)
        page, more = _page([name for name in asked if name in self._definitions], request)
        told = [self._crawls.metrics(self._definitions[name]) for name in page]
        return {"CrawlerMetricsList": told, **more}

    def partitions(self, request: Request, told: Response) -> Response:
        """Of the catalog's answer what an Expression chooses.

        https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html
        """
        wanted = request.get("Expression")
        if told[0] != 200 or not wanted:
            return told
        keys = self._table(request).partition_keys
        found = expressions.chosen(keys, json.loads(told[2])["Partitions"], wanted)
        return _reply(200, {"Partitions": found})

    def delete_partitions(self, request: Request) -> dict[str, Any]:
        """https://docs.aws.amazon.com/glue/latest/webapi/API_BatchDeletePartition.html"""
        listed = request.get("PartitionsToDelete") or []
        if len(listed) > DELETED_AT_ONCE:
            raise RefusedError(
                "ValidationException",
                "1 validation error detected: Value at 'partitionsToDelete' failed to satisfy "
                f"constraint: Member must have length less than or equal to {DELETED_AT_ONCE}",
            )
        table = self._table(request)
        where = {"DatabaseName": table.database, "TableName": table.name}
        errors = []
        for values in (entry["Values"] for entry in listed):
            status, answer = self._call("GetPartition", {**where, "PartitionValues": values})
            if status == 200:
                self._call("DeletePartition", {**where, "PartitionValues": values})
            else:
                detail = {"ErrorCode": answer["__type"], "ErrorMessage": answer["message"]}
                errors.append({"PartitionValues": values, "ErrorDetail": detail})
        return {"Errors": errors}

    def _table(self, request: Request) -> Table:
        """The table whose partitions are meant."""
        asked = {"DatabaseName": request.get("DatabaseName"), "Name": request.get("TableName")}
        status, answer = self._call("GetTable", asked)
        if status != 200:
            raise RefusedError(answer["__type"], answer["message"])
        return Table.of(answer["Table"])

    def may_create(self, request: Request) -> None:
        """Refuse a policy that is not one."""
        Policy.of(request)

    def may_update(self, request: Request) -> None:
        """Refuse a policy that is not one, and a change while a crawl runs."""
        Policy.of(request)
        self._crawls.idle(self._definition(request))

    def may_delete(self, request: Request) -> None:
        """Refuse while a crawl runs."""
        crawler = self._definition(request)
        self._crawls.idle(crawler)
        self._crawls.forget(crawler["Name"])

    def _definition(self, request: Request) -> dict[str, Any]:
        name = request.get("Name") or ""
        found = self._definitions.get(name)
        if found is None:
            raise RefusedError(
                "EntityNotFoundException", f"Crawler entry with name {name} does not exist"
            )
        return found


def _page(names: list[str], request: Request) -> tuple[list[str], dict[str, str]]:
    token, most = request.get("NextToken") or "0", int(request.get("MaxResults") or PAGE)
    if not token.isdecimal():
        raise RefusedError("InvalidInputException", f"NextToken is not one of ours: {token}")
    start = int(token)
    more = {"NextToken": str(start + most)} if start + most < len(names) else {}
    return names[start : start + most], more


def _reply(status: int, document: dict[str, Any]) -> Response:
    shown = {"Content-Type": "application/x-amz-json-1.1"}
    return status, shown, json.dumps(document).encode()


def _error(code: str, message: str) -> Response:
    status, headers, body = _reply(400, {"__type": code, "message": message})
    return status, headers | {"x-amzn-ErrorType": code}, body


def _without_empty_owners(told: Response) -> Response:
    """A table's owner has at least one character, or is not told: tools send back what they read.

    https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html
    """
    status, _, body = told
    document = json.loads(body)
    for table in [document.get("Table"), *document.get("TableList", [])]:
        if table and not table.get("Owner"):
            table.pop("Owner", None)
    return _reply(status, document) if status == 200 else told
