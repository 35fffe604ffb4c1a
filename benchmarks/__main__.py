"""Measure, print, write: `python -m benchmarks [SUBJECT ...]`; status 1 where a bar is missed."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from benchmarks import report
from cli import show
from cli.errors import Problem

SUBJECTS = ("package", "model", "loop")


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", default=SUBJECTS, metavar="SUBJECT")
    held = True
    for name in parser.parse_args(words).subjects:
        found = report.collect(importlib.import_module(f"benchmarks.{name}").measure())
        show.console.print(report.table(name, found))
        print(f"written: {report.write(name, found)}\n")
        held &= report.all_hold(found)
    return 0 if held else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        sys.exit(str(problem))
