"""The page behind a link of a message: what there is to know, and a form to decide. It needs no
script and nothing from elsewhere. Opening it decides nothing: programs that check mail open links.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

# The link is a secret: no other page, proxy or search engine shall learn or keep it.
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
}
STYLE = """
body { font: 15px/1.55 system-ui, sans-serif; color: #1d2733; background: #f4f6f8; margin: 0 }
main { max-width: 680px; margin: 0 auto; padding: 32px 20px 64px } h1 { font-size: 24px; margin: 0 }
section { background: #fff; border: 1px solid #dfe4ea; border-radius: 8px; padding: 16px 24px;
  margin-top: 14px } table { border-collapse: collapse; width: 100% }
td { padding: 3px 12px 3px 0; vertical-align: top; border-top: 1px solid #eef1f4 }
td:first-child { color: #6b7785; white-space: nowrap } label { display: block; margin: 8px 0 2px }
input { width: 100%; box-sizing: border-box; padding: 7px 9px; border: 1px solid #c3cbd4;
  border-radius: 5px; font: inherit } .wrong { color: #b3261e }
button { margin: 14px 10px 0 0; padding: 8px 18px; font: inherit; border-radius: 5px;
  border: 1px solid #2f6fbf; background: #2f6fbf; color: #fff; cursor: pointer }
button + button { background: #fff; color: #1d2733; border-color: #c3cbd4 } a { color: #2f6fbf }
"""


@dataclass(frozen=True)
class Action:
    """A button: its name in the form, and what it says."""

    name: str
    label: str


@dataclass(frozen=True)
class Page:
    """`facts`: pairs of a name and a value; `documents`: of a name and a link."""

    title: str
    status: int = 200
    words: str = ""
    facts: Sequence[tuple[str, str]] = ()
    points: Sequence[str] = ()
    documents: Sequence[tuple[str, str]] = ()
    actions: Sequence[Action] = ()
    problem: str = ""

    @property
    def html(self) -> str:
        parts = [_words(self.words), _points(self.points), _facts(self.facts)]
        parts += [_documents(self.documents), _form(self.actions, self.problem)]
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{escape(self.title)}</title><style>{STYLE}</style></head>"
            f"<body><main><h1>{escape(self.title)}</h1>{''.join(parts)}</main></body></html>"
        )


def _words(words: str) -> str:
    return f"<section>{escape(words)}</section>" if words else ""


def _points(points: Sequence[str]) -> str:
    listed = "".join(f"<li>{escape(each)}</li>" for each in points)
    return f"<section><ul>{listed}</ul></section>" if listed else ""


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for a, b in facts)
    return f"<section><table>{rows}</table></section>" if rows else ""


def _documents(documents: Sequence[tuple[str, str]]) -> str:
    listed = "".join(f'<p><a href="{escape(link)}">{escape(name)}</a></p>'
                     for name, link in documents)  # fmt: skip
    return f"<section>{listed}</section>" if listed else ""


def _form(actions: Sequence[Action], problem: str) -> str:
    if not actions:
        return ""
    buttons = "".join(
        f'<button name="action" value="{escape(each.name)}">{escape(each.label)}</button>'
        for each in actions
    )
    wrong = f'<p class="wrong">{escape(problem)}</p>' if problem else ""
    return (
        f'<section><form method="post">{wrong}<label>Your name</label>'
        '<input name="who" maxlength="100" required autocomplete="name">'
        '<label>Why</label><input name="reason" maxlength="500">'
        f"{buttons}</form></section>"
    )
