"""Which web pages may call the API from a browser: api.cors_origin of pipeline.toml.

Chalice makes the OPTIONS routes when the package is made, and each answer's headers when it runs,
so the setting is read on import: by tomllib alone, for pydantic would double the cold start.
https://aws.github.io/chalice/topics/views.html#cors-support
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from chalice.app import CORSConfig

FILE = Path(__file__).parents[1] / "pipeline.toml"
HEADERS = ["X-Request-Id", "Idempotency-Key", "X-Amzn-SageMaker-Target-Variant"]


def config(file: Path = FILE) -> CORSConfig | None:
    """None where no page may: the origin is empty."""
    origin = tomllib.loads(file.read_text(encoding="utf-8")).get("api", {}).get("cors_origin", "")
    if not origin:
        return None
    return CORSConfig(
        allow_origin=origin, allow_headers=HEADERS, expose_headers=["X-Request-Id"], max_age=3600
    )
