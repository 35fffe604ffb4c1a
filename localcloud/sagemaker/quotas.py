"""How many instances may be in use at once: beyond, AWS answers ResourceLimitExceeded.

On AWS each account has its own numbers; here there is one for all, of what a machine can bear.
https://docs.aws.amazon.com/general/latest/gr/sagemaker.html#limits_sagemaker
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from localcloud.sagemaker.errors import limit_exceeded
from localcloud.sagemaker.store import Record

INSTANCES = 20

Cluster = tuple[str, int]  # instance type, count


def _cluster(found: Record) -> Cluster:
    return str(found.get("InstanceType", "")), int(found.get("InstanceCount", 1))


CLUSTERS: dict[str, Callable[[Record], Cluster]] = {
    "Training": lambda record: _cluster(record["ResourceConfig"]),
    "Processing": lambda record: _cluster(record["ProcessingResources"]["ClusterConfig"]),
    "Transform": lambda record: _cluster(record["TransformResources"]),
}


def check(kind: str, asked: Record, running: Iterable[Record]) -> None:
    """Refuse a job whose instances, with those of the jobs that run, are too many.

    A tuning job has none itself; its training jobs do.
    """
    if kind not in CLUSTERS:
        return
    cluster = CLUSTERS[kind]
    check_usage(f"{kind.lower()} job", cluster(asked), [cluster(record) for record in running])


def check_usage(usage: str, asked: Cluster, used: Iterable[Cluster]) -> None:
    """Refuse a number of instances that, with those in use, is too large."""
    kind, count = asked
    current = sum(number for of, number in used if of == kind)
    if current + count > INSTANCES:
        raise limit_exceeded(
            f"The account-level service limit '{kind} for {usage} usage' is {INSTANCES} Instances, "
            f"with current utilization of {current} Instances and a request delta of {count} "
            "Instances. Please use AWS Service Quotas to request an increase for this quota."
        )
