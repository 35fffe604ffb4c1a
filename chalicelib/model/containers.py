"""The images that run the jobs and serve the model: AWS's scikit-learn image, for a transformer its
Hugging Face images.

https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html
https://github.com/aws/deep-learning-containers/releases/tag/v1.0-hf-5.3.0-pt-2.9.0-tr-gpu-py312
https://github.com/aws/deep-learning-containers/tree/main/docs/src/data/huggingface-pytorch-inference
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.settings import Settings

IMAGE = "sagemaker-scikit-learn:1.4-2-cpu-py3"
REGISTRIES = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ca-central-1": "341280168497",
    "eu-central-1": "492215442770",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}


TRAINING = "huggingface-pytorch-training:2.9.0-transformers5.3.0-gpu-py312-cu130-ubuntu22.04"
SERVING = {
    "cpu": "huggingface-pytorch-inference:2.6.0-transformers5.5.3-cpu-py312-ubuntu22.04",
    "gpu": "huggingface-pytorch-inference:2.6.0-transformers5.5.3-gpu-py312-cu124-ubuntu22.04",
}
DEEP_LEARNING = "763104351884"  # everywhere but in these regions
DEEP_LEARNING_REGISTRIES = {
    "af-south-1": "626614931356",
    "ap-east-1": "871362719292",
    "ap-northeast-3": "364406365360",
    "eu-south-1": "692866216735",
    "me-south-1": "217643126080",
}
# Families with NVIDIA GPUs. https://aws.amazon.com/sagemaker/ai/pricing/
GPU_FAMILIES = (
    "g4dn", "g5", "g6", "g6e", "gr6", "p3", "p3dn", "p4d", "p4de", "p5", "p5e", "p5en",
)  # fmt: skip


def image(region: str) -> str:
    """The scikit-learn image's address in a region; a region without it is refused by name."""
    if region not in REGISTRIES:
        raise ValueError(f"the scikit-learn image is not known in {region}; see containers.py")
    return _address(REGISTRIES[region], region, IMAGE)


def training(region: str, settings: Settings) -> str:
    """Of the jobs that train the model and evaluate it."""
    if not settings.training.transformer:
        return image(region)
    return _address(_deep_learning(region), region, TRAINING)


def serving(region: str, settings: Settings) -> str:
    """Of the endpoint."""
    if not settings.training.transformer:
        return image(region)
    device = "gpu" if has_gpu(settings.endpoint.instance_type) else "cpu"
    return _address(_deep_learning(region), region, SERVING[device])


def has_gpu(instance_type: str) -> bool:
    return instance_type.split(".")[1] in GPU_FAMILIES


def _deep_learning(region: str) -> str:
    return DEEP_LEARNING_REGISTRIES.get(region, DEEP_LEARNING)


def _address(registry: str, region: str, name: str) -> str:
    return f"{registry}.dkr.ecr.{region}.amazonaws.com/{name}"
