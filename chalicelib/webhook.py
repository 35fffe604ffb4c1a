"""Notifications in a chat: a subscriber of the topic that posts to Slack's or Teams' webhook.

The webhook's URL is a secret; it lies in an SSM parameter, and only this function may read it.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from aws_lambda_powertools import Logger

from chalicelib import clients

logger = Logger(child=True)
Payload = dict[str, Any]
TIMEOUT_SECONDS = 10
SLACK_HEADER, SLACK_SECTION, SLACK_SECTIONS = 150, 3000, 4
TEAMS_LETTERS = 12_000  # a card may have 28 KB, and JSON escapes


class WebhookError(Exception):
    """The webhook did not answer, or is busy: Lambda tries again."""


def forward(event: Mapping[str, Any]) -> dict[str, Any]:
    """Post each notification of an SNS event. A webhook's refusal is logged and dropped.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    """
    from chalicelib import settings

    configured = settings.load().notifications
    url = _url(configured.webhook)
    for record in event["Records"]:
        post(url, FORMATS[configured.webhook_kind](json.loads(record["Sns"]["Message"])))
    return {"posted": len(event["Records"])}


def slack(notification: Mapping[str, Any]) -> Payload:
    """Plain text throughout: names of features hold what Slack's markup would read.

    https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    https://docs.slack.dev/reference/block-kit/blocks
    """
    subject, text = notification["subject"], notification["message"]
    cuts = range(0, min(len(text), SLACK_SECTION * SLACK_SECTIONS), SLACK_SECTION)
    sections = [
        {"type": "section", "text": _plain(text[cut : cut + SLACK_SECTION])} for cut in cuts
    ]
    context = {"type": "context", "elements": [_plain(_origin(notification))]}
    header = {"type": "header", "text": _plain(subject[:SLACK_HEADER])}
    return {"text": _escaped(subject), "blocks": [header, *sections, context]}


def teams(notification: Mapping[str, Any]) -> Payload:
    """An Adaptive Card, as a workflow's webhook takes it; a line of text is a block.

    https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
    """
    lines = notification["message"][:TEAMS_LETTERS].splitlines()
    title = {"type": "TextBlock", "text": notification["subject"], "weight": "Bolder",
             "size": "Medium", "wrap": True}  # fmt: skip
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": [title, *(_verbatim(line) for line in lines), _verbatim(_origin(notification))],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


FORMATS: dict[str, Callable[[Mapping[str, Any]], Payload]] = {"slack": slack, "teams": teams}


def post(url: str, payload: Payload) -> None:
    """WebhookError where another attempt may help; another refusal is logged."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(payload).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
            return
    except urllib.error.HTTPError as error:
        words = f"the webhook answered {error.code}: {error.read()[:500].decode(errors='replace')}"
        logger.error(words)
        if error.code == 429 or error.code >= 500:
            raise WebhookError(words) from None
    except (urllib.error.URLError, TimeoutError) as error:
        words = f"the webhook did not answer: {getattr(error, 'reason', error)}"
        logger.error(words)
        raise WebhookError(words) from None  # its URL is a secret: no trace with it


def _url(parameter: str) -> str:
    found = clients.client("ssm").get_parameter(Name=parameter, WithDecryption=True)
    url = str(found["Parameter"]["Value"]).strip()
    if urlsplit(url).scheme not in ("https", "http"):
        raise ValueError(f"the SSM parameter {parameter} holds no URL")
    return url


def _origin(notification: Mapping[str, Any]) -> str:
    return f"driftloop: {notification['pipeline']}, {notification['time']}"


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _verbatim(line: str) -> dict[str, Any]:
    """Without Markdown, and blank lines as the space between blocks."""
    runs = [{"type": "TextRun", "text": line or " "}]
    return {"type": "RichTextBlock", "inlines": runs, "spacing": "None"}
