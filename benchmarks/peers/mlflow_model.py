"""The linear model as MLflow keeps it; runs in the environment of `make bench-models`.

python mlflow_model.py model.joblib FOLDER, then mlflow models serve --model-uri FOLDER
https://mlflow.org/docs/latest/ml/traditional-ml/sklearn/
"""

from __future__ import annotations

import sys

import joblib
import mlflow.sklearn

if __name__ == "__main__":
    model, folder = sys.argv[1:]
    mlflow.sklearn.save_model(
        joblib.load(model),
        folder,
        serialization_format="cloudpickle",
        pyfunc_predict_fn="predict_proba",
        pip_requirements=[],
    )
