"""What ministack's CloudWatch lacks: alarms by the clock, their events, embedded metrics in logs,
what it refuses.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from __future__ import annotations

from localcloud.cloudwatch import alarms, cloudformation, embedded_metrics, events, metric_data
from localcloud.config import CloudConfig


def install(config: CloudConfig) -> None:
    """Plug it all into the running ministack."""
    alarms.install()
    events.install()
    embedded_metrics.install()
    cloudformation.install()
    metric_data.install()
