"""botocore's models of the services, by one session that all of the cloud shares, ministack too:
another would read them anew, a tenth of a second and 10 MB for SageMaker's.
"""

from __future__ import annotations

import functools

import botocore.session
from botocore.model import ServiceModel


@functools.cache
def session() -> botocore.session.Session:
    """The session; its clients and its models come from the same files read once."""
    return botocore.session.get_session()


@functools.cache
def service_model(name: str) -> ServiceModel:
    """botocore's model of a service."""
    model: ServiceModel = session().get_service_model(name)
    return model
