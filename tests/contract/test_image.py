"""The jobs' code fits the image that runs it on AWS: scikit-learn 1.4-2, whose Python is 3.10.

https://github.com/aws/sagemaker-scikit-learn-container/tree/master/docker/1.4-2
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from chalicelib.model import containers

ROOT = Path(__file__).parents[2]
CODE = ("training_code", "inference_code", "monitoring_code")


def test_the_code_needs_no_newer_python_than_the_image_has():
    vermin = Path(sys.executable).with_name("vermin")
    command = [str(vermin), "-t=3.10-", "--no-tips", "--violations", *CODE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_local_environment_holds_the_images_scikit_learn():
    version = re.search(r":(\d+\.\d+)-(\d+)-", containers.IMAGE)
    assert version
    pins = (ROOT / "constraints-jobs.txt").read_text()
    assert f"scikit-learn=={version[1]}.{version[2]} ;" in pins
