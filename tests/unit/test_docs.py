"""What the documents point at is there, and what they show is taken."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from chalicelib import settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
TOML = re.compile(r"```toml\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path):
    missing = [
        target
        for target in LINK.findall(document.read_text())
        if not (document.parent / target).exists()
    ]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_settings_shown_are_settings_there_are(document: Path):
    """A document shows sections of pipeline.toml; a section's key may be any that it has."""
    for shown in TOML.findall(document.read_text()):
        for name, section in tomllib.loads(re.sub(r"(?m)^ {3}", "", shown)).items():
            known = settings.Settings.model_fields[name].annotation
            assert known is not None
            assert set(section) <= set(known.model_fields), f"[{name}]"
