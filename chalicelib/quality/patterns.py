"""Regular expressions: the presets of `pattern`, and Deequ's of the data types.

They mean the same to Java's engine (Athena) and to RE2: no look-around, no back reference.
"""

from __future__ import annotations

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
PRESETS = {
    "email": r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$",
    "url": r"^(https?|ftp)://[^\s/$.?#][^\s]*$",
    "ip": rf"^({_OCTET}\.){{3}}{_OCTET}$",
}

# https://github.com/awslabs/deequ: StatefulDataType
INTEGRAL = r"^(-|\+)? ?\d+$"
FRACTIONAL = r"^(-|\+)? ?\d+((\.\d+)|((?:\.\d+)?[Ee][-+]?\d+))$"
BOOLEAN = r"^(true|false)$"
DATA_TYPES = {
    "integral": INTEGRAL,
    "fractional": FRACTIONAL,
    "boolean": BOOLEAN,
    "numeric": f"{INTEGRAL}|{FRACTIONAL}",
}
