"""AWS's scikit-learn image, which runs every job and serves the model.

https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html
"""

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


def image(region: str) -> str:
    """The image's address in a region; a region without it is refused by name."""
    if region not in REGISTRIES:
        raise ValueError(f"the scikit-learn image is not known in {region}; see containers.py")
    return f"{REGISTRIES[region]}.dkr.ecr.{region}.amazonaws.com/{IMAGE}"
