"""What a chat is sent, word for word."""

from __future__ import annotations

from chalicelib import webhook

NOTIFICATION = {
    "version": 1,
    "pipeline": "reviews",
    "time": "2026-03-01T12:00:00.000Z",
    "kind": "drift",
    "subject": "Drift in <body> & vine",
    "message": "What drifted:\n  review_body_oov: distance 0.42\n\nReport: s3://x/",
    "facts": {},
}
ORIGIN = "driftloop: reviews, 2026-03-01T12:00:00.000Z"


def test_slack() -> None:
    def plain(text: str) -> dict[str, object]:
        return {"type": "plain_text", "text": text, "emoji": False}

    assert webhook.slack(NOTIFICATION) == {
        "text": "Drift in &lt;body&gt; &amp; vine",
        "blocks": [
            {"type": "header", "text": plain("Drift in <body> & vine")},
            {"type": "section", "text": plain(NOTIFICATION["message"])},
            {"type": "context", "elements": [plain(ORIGIN)]},
        ],
    }


def test_slack_takes_3000_letters_a_section() -> None:
    long = webhook.slack({**NOTIFICATION, "message": "x" * 20_000, "subject": "s" * 200})
    assert [len(b["text"]["text"]) for b in long["blocks"][:-1]] == [150, 3000, 3000, 3000, 3000]


def test_teams() -> None:
    def verbatim(text: str) -> dict[str, object]:
        inlines = [{"type": "TextRun", "text": text}]
        return {"type": "RichTextBlock", "inlines": inlines, "spacing": "None"}

    found = webhook.teams(NOTIFICATION)
    (attachment,) = found["attachments"]
    assert found["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    title, *lines = attachment["content"]["body"]
    assert title["text"] == "Drift in <body> & vine"
    assert lines == [
        verbatim("What drifted:"),
        verbatim("  review_body_oov: distance 0.42"),
        verbatim(" "),
        verbatim("Report: s3://x/"),
        verbatim(ORIGIN),
    ]
