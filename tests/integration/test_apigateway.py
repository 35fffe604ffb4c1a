"""An API answers under the host name AWS gives it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
"""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def api(cloud: Any) -> str:
    """A deployed API whose GET /hello answers by itself."""
    gateway = cloud.client("apigateway")
    api = gateway.create_rest_api(name="hello")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    made = gateway.create_resource(restApiId=api, parentId=root, pathPart="hello")["id"]
    where = {"restApiId": api, "resourceId": made, "httpMethod": "GET"}
    gateway.put_method(**where, authorizationType="NONE")
    request = {"application/json": '{"statusCode": 200}'}
    gateway.put_integration(**where, type="MOCK", requestTemplates=request)
    gateway.put_method_response(**where, statusCode="200")
    answer = {"application/json": '{"hello": "world"}'}
    gateway.put_integration_response(**where, statusCode="200", responseTemplates=answer)
    gateway.create_deployment(restApiId=api, stageName="prod")
    return api


def get(cloud: Any, host: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(cloud.endpoint.removeprefix("http://"), timeout=60)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "suffix",
    ["us-east-1.amazonaws.com", "us-east-1.amazonaws.com:443", "cn-north-1.amazonaws.com.cn"],
)
def test_awss_host_names_reach_the_api(cloud: Any, api: str, suffix: str) -> None:
    status, body = get(cloud, f"{api}.execute-api.{suffix}", "/prod/hello")
    assert (status, json.loads(body)) == (200, {"hello": "world"})


@pytest.mark.parametrize("path", ["/prod/other", "/test/hello"])
def test_another_path_or_stage_is_refused(cloud: Any, api: str, path: str) -> None:
    assert get(cloud, f"{api}.execute-api.us-east-1.amazonaws.com", path)[0] in (403, 404)


def test_another_host_is_no_api(cloud: Any, api: str) -> None:
    host = f"{api}.execute-api.us-east-1.amazonaws.com.example.org"
    assert "world" not in get(cloud, host, "/prod/hello")[1]
