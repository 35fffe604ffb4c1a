"""AWS's own monitoring images: Model Monitor's analyzer and its merger of labels, and Clarify.

https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html
"""

# Region: the analyzer's registry, Clarify's.
REGISTRIES = {
    "af-south-1": ("875698925577", "811711786498"),
    "ap-east-1": ("001633400207", "098760798382"),
    "ap-northeast-1": ("574779866223", "377024640650"),
    "ap-northeast-2": ("709848358524", "263625296855"),
    "ap-northeast-3": ("990339680094", "912233562940"),
    "ap-south-1": ("126357580389", "452307495513"),
    "ap-southeast-1": ("245545462676", "834264404009"),
    "ap-southeast-2": ("563025443158", "007051062584"),
    "ca-central-1": ("536280801234", "675030665977"),
    "eu-central-1": ("048819808253", "017069133835"),
    "eu-north-1": ("895015795356", "763603941244"),
    "eu-south-1": ("933208885752", "638885417683"),
    "eu-west-1": ("468650794304", "131013547314"),
    "eu-west-2": ("749857270468", "440796970383"),
    "eu-west-3": ("680080141114", "341593696636"),
    "me-south-1": ("607024016150", "835444307964"),
    "sa-east-1": ("539772159869", "520018980103"),
    "us-east-1": ("156813124566", "205585389593"),
    "us-east-2": ("777275614652", "211330385671"),
    "us-west-1": ("890145073186", "740489534195"),
    "us-west-2": ("159807026194", "306415355426"),
}


def analyzer(region: str) -> str:
    """Judges data and model quality."""
    return (
        f"{REGISTRIES[region][0]}.dkr.ecr.{region}.amazonaws.com/sagemaker-model-monitor-analyzer"
    )


def clarify(region: str) -> str:
    """Judges bias and attributions."""
    return (
        f"{REGISTRIES[region][1]}.dkr.ecr.{region}.amazonaws.com/sagemaker-clarify-processing:1.0"
    )


def merges(image: str) -> bool:
    """Whether an execution's job is the one that merges ground truth with captured traffic.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
    """
    return "sagemaker-model-monitor-groundtruth-merger" in image
