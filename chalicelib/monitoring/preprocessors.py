"""What AWS's analyzer runs on each captured line: it reads flat JSON only.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-pre-and-post-processing.html
"""

DATA_QUALITY = '''\
import json


def preprocess_handler(inference_record):
    """The records of a request: {"records": [{...}]}, or one by itself."""
    body = json.loads(inference_record.endpoint_input.data)
    return body.get("records", [body])
'''

# The analyzer names the answer's column `endpointOutput_` and InferenceAttribute, and the label so.
ATTRIBUTE = "prediction"
MODEL_QUALITY = '''\
import json


def preprocess_handler(inference_record):
    """Answer and label of a request of one record; of several, AWS has one label for them all."""
    answers = json.loads(inference_record.endpoint_output.data)["predictions"]
    if len(answers) != 1:
        return []
    answer, label = answers[0], inference_record.ground_truth.data.strip()
    if "prediction" in answer:
        answer, label = {"label": answer["prediction"]}, float(label)
    return {"endpointOutput_prediction": answer["label"], "groundTruthData_0": label}
'''
SCRIPTS = {"data-quality": DATA_QUALITY, "model-quality": MODEL_QUALITY}
