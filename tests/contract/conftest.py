"""One packaged deployment, shared by the tests that look into it."""

from __future__ import annotations

import pytest

from cli import package


@pytest.fixture(scope="session")
def packaged() -> package.Package:
    return package.build()
