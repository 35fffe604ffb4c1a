"""Compile the state machines: `python -m statemachines`, or `--check` to compare only."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
warnings.filterwarnings("ignore", category=SyntaxWarning)
os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
logging.getLogger("sagemaker.config").setLevel(logging.WARNING)

from statemachines import batch, monitor, retrain, rollout  # noqa: E402

FOLDER = Path(__file__).parent
MACHINES = (("retrain", retrain), ("monitor", monitor), ("batch", batch), ("rollout", rollout))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m statemachines", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say which file differs")
    check = parser.parse_args().check
    differing = 0
    for name, machine in MACHINES:
        path, text = FOLDER / f"{name}.asl.json", machine.compiled()
        same = path.exists() and path.read_text() == text
        differing += not same
        if not check and not same:
            path.write_text(text)
        print(f"{path.name}: {'as compiled' if same else 'differs' if check else 'written'}")
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
