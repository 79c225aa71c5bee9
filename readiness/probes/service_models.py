"""Botocore's models of AWS's services: their operations, without a client."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from botocore import xform_name
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ServiceModel


@cache
def model(service: str) -> ServiceModel | None:
    """Botocore's model of a service, without a client; None where it does not know the service."""
    try:
        return ServiceModel(Loader().load_service_model(service, "service-2"), service)
    except (UnknownServiceError, DataNotFoundError):
        return None


@cache
def operations(service: str) -> Mapping[str, str]:
    """The operations of a service by their method; none where botocore does not know the service."""
    known = model(service) if service else None
    return {xform_name(name): name for name in known.operation_names} if known else {}
