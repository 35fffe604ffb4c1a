"""Date patterns of `format_datetime` and `parse_datetime`, which follow JodaTime.

https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html
https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html
"""

from __future__ import annotations

from localcloud.athena.errors import QueryError

_MARKS = [
    ("yyyy", "%Y"), ("yy", "%y"), ("y", "%Y"), ("MMMM", "%B"), ("MMM", "%b"), ("MM", "%m"),
    ("dd", "%d"), ("HH", "%H"), ("hh", "%I"), ("mm", "%M"), ("ss", "%S"), ("SSSSSS", "%f"),
    ("SSS", "%g"), ("EEEE", "%A"), ("EEE", "%a"), ("E", "%a"), ("a", "%p"), ("ZZ", "%z"),
    ("Z", "%z"), ("DDD", "%j"), ("d", "%-d"), ("M", "%-m"), ("H", "%-H"), ("h", "%-I"),
]  # fmt: skip


def to_strftime(pattern: str) -> str:
    """The same pattern for strftime and strptime; quoted text stays as it is."""
    out, at = "", 0
    while at < len(pattern):
        if pattern[at] == "'":
            end = pattern.find("'", at + 1)
            end = len(pattern) if end < 0 else end
            out += pattern[at + 1 : end] or "'"
            at = end + 1
            continue
        mark = next((pair for pair in _MARKS if pattern.startswith(pair[0], at)), None)
        if mark is None and pattern[at].isalpha():
            raise QueryError(f"NOT_SUPPORTED: Date pattern letter '{pattern[at]}'")
        joda, strftime = mark or (pattern[at], pattern[at].replace("%", "%%"))
        out, at = out + strftime, at + len(joda)
    return out
