"""The OpenAPI document as a page: static, so that it needs no script and nothing from elsewhere."""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import urlencode

STYLE = """
body { font: 15px/1.55 system-ui, sans-serif; color: #1d2733; background: #f4f6f8; margin: 0 }
main { max-width: 860px; margin: 0 auto; padding: 32px 20px 64px }
h1 { font-size: 26px; margin: 0 } h2 { font-size: 17px; margin: 0 0 2px; font-family: monospace }
section { background: #fff; border: 1px solid #dfe4ea; border-radius: 8px; padding: 16px 24px;
  margin-top: 14px } b.method { color: #2f6fbf } .soft { color: #6b7785 } p { margin: 4px 0 8px }
table { border-collapse: collapse; width: 100% } td { padding: 3px 12px 3px 0; vertical-align: top;
  border-top: 1px solid #eef1f4 } td:first-child { font-family: monospace; white-space: nowrap }
pre { background: #f4f6f8; border-radius: 6px; padding: 10px 14px; overflow-x: auto;
  font-size: 13px }
summary { cursor: pointer; color: #2f6fbf }
"""
Document = dict[str, Any]


def page(document: Document, url: str) -> str:
    """HTML; `url` is where the API is, for the examples."""
    info = document["info"]
    parts = [
        _operation(document, url, path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    names = "".join(
        f"<details><summary>{escape(name)}</summary><pre>{_json(schema)}</pre></details>"
        for name, schema in document["components"]["schemas"].items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}'
        f"</title><style>{STYLE}</style></head><body><main><h1>{escape(info['title'])}</h1>"
        f'<p class="soft">{escape(info["description"])} The document itself: '
        f'<a href="openapi.json">openapi.json</a></p>{"".join(parts)}'
        f"<section><h2>schemas</h2>{names}</section></main></body></html>"
    )


def _operation(document: Document, url: str, path: str, method: str, operation: Document) -> str:
    needs = [name for each in operation["security"] for name in each]
    words = {"api_key": "needs an API key", "sigv4": "for administrators: signed (SigV4)"}
    rows = [
        (each["name"], f"{each['in']}, {each.get('description', '')}".strip(", "))
        for each in operation.get("parameters", [])
    ]
    rows += [(status, each["description"]) for status, each in operation["responses"].items()]
    table = "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for a, b in rows)
    told = ", ".join(words[name] for name in needs)
    return (
        f'<section><h2><b class="method">{method.upper()}</b> {escape(path)}</h2>'
        f"<p>{escape(operation['summary'])}"
        f"{f' <span class=soft>({told})</span>' if told else ''}</p>"
        f"<pre>{escape(_example(document, url, path, method, operation))}</pre>"
        f"<table>{table}</table></section>"
    )


def _example(document: Document, url: str, path: str, method: str, operation: Document) -> str:
    lines = [f"curl {'' if method == 'get' else f'-X {method.upper()} '}{url}{path}"]
    if {"api_key": []} in operation["security"]:
        lines.append("-H 'x-api-key: '$API_KEY")
    if {"sigv4": []} in operation["security"]:
        lines.append("--aws-sigv4 aws:amz:$AWS_REGION:execute-api --user $KEY_ID:$SECRET_KEY")
    if body := operation.get("requestBody"):
        kind, media = next(iter(body["content"].items()))
        sample = _sample(document, media["schema"])
        content = json.dumps(sample) if kind == "application/json" else urlencode(sample)
        lines += [f"-H 'Content-Type: {kind}'", f"-d '{content}'"]
    return " \\\n  ".join(lines)


def _sample(document: Document, schema: Document) -> Any:
    """A value of a schema, as plain as can be: required members, else the first one."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return _sample(document, document["components"]["schemas"][name])
    if "anyOf" in schema:
        return _sample(document, schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][-1]
    if "pattern" in schema and "[0-9a-f]{8}" in schema["pattern"]:
        return "01234567-89ab-cdef-0123-456789abcdef"
    members = schema.get("properties")
    if members is not None:
        names = schema.get("required") or list(members)[:1]
        return {name: _sample(document, members[name]) for name in names}
    samples = {"integer": 1, "number": 1.5, "boolean": True, "array": []}
    kind = schema.get("type", "string")
    return samples.get(kind if isinstance(kind, str) else kind[0], "a text")


def _json(value: Any) -> str:
    return escape(json.dumps(value, indent=2))
