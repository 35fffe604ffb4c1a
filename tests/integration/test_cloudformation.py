"""CloudFormation refuses what AWS refuses of a template's text.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.cloud

TEMPLATE = """
Resources:
  One: {Type: AWS::SQS::Queue, Properties: %s {DelaySeconds: 1}}
  Other: {Type: AWS::SQS::Queue, Properties: %s}
"""


@pytest.mark.parametrize("operation", ["create_stack", "create_change_set"])
def test_a_template_with_aliases_is_refused(cloud: Any, operation: str) -> None:
    client, more = cloud.client("cloudformation"), {}
    if operation == "create_change_set":
        more = {"ChangeSetName": "first", "ChangeSetType": "CREATE"}
    with pytest.raises(ClientError, match="YAML aliases are not allowed") as refused:
        body = TEMPLATE % ("&same", "*same")
        getattr(client, operation)(StackName="aliases", TemplateBody=body, **more)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
