"""Names of SageMaker's resources, and lists of them in pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.store import Record


def arn(kind: str, name: str) -> str:
    """`arn("model", "Reviews")`: the ARN, the name lower-cased as SageMaker does."""
    here = cloud.config()
    return f"arn:aws:sagemaker:{here.region}:{here.account}:{kind}/{name.lower()}"


PAGE = 10  # where a request has no MaxResults


def page(
    records: list[Record],
    request: dict[str, Any],
    member: str,
    summary: Callable[[Record], Record],
    name: str,
    status: str = "",
    order: str = "Ascending",
) -> dict[str, Any]:
    """One page of a List operation: filtered, sorted, cut at MaxResults, with the next token.

    `name` and `status` are the members of a record that hold those; `order` is the operation's
    SortOrder where the request has none.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTransformJobs.html
    """
    kept = [record for record in records if _wanted(record, request, name, status)]
    by = request.get("SortBy", "CreationTime")
    key = {"Name": name, "Status": status}.get(by, by)
    kept.sort(key=lambda r: r.get(key, ""))
    if request.get("SortOrder", order) == "Descending":
        kept.reverse()
    token = request.get("NextToken", "0")
    if not (token.isascii() and token.isdigit()):
        raise validation("The NextToken is not one that this operation gave.")
    start, size = int(token), request.get("MaxResults", PAGE)
    answer: dict[str, Any] = {member: [summary(r) for r in kept[start : start + size]]}
    if start + size < len(kept):
        answer["NextToken"] = str(start + size)
    return answer


def _wanted(record: Record, request: dict[str, Any], name: str, status: str) -> bool:
    if request.get("NameContains", "").lower() not in record.get(name, "").lower():
        return False
    if "StatusEquals" in request and record.get(status) != request["StatusEquals"]:
        return False
    bounds = (
        ("CreationTimeAfter", "CreationTime", 1),
        ("CreationTimeBefore", "CreationTime", -1),
        ("LastModifiedTimeAfter", "LastModifiedTime", 1),
        ("LastModifiedTimeBefore", "LastModifiedTime", -1),
    )
    return all(
        (record.get(member) or record["CreationTime"]) * sign >= request[bound] * sign
        for bound, member, sign in bounds
        if bound in request
    )
