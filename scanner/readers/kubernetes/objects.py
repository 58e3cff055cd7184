"""Objects beside the pods: Services, autoscalers, limits of a namespace."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from assay.scanner.readers.kubernetes.entries import entry_span, text
from assay.scanner.readers.kubernetes.facts import (
    Autoscaler,
    LimitRange,
    OutlierDetection,
    SecretFacts,
    ServiceFacts,
    ServicePort,
    Variable,
)
from assay.scanner.readers.yaml_documents import Mapping, Scalar

_PRIVATE = {
    "networking.gke.io/load-balancer-type": "Internal",
    "cloud.google.com/load-balancer-type": "Internal",
    "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
}
"""Annotations of Google's, Amazon's and Azure's that keep a load balancer inside."""


def service(document: Mapping) -> ServiceFacts:
    """A Service, and where it can be reached from."""
    metadata, spec = document.mapping("metadata"), document.mapping("spec")
    name = metadata.entry("name") if metadata is not None else None
    kind = spec.entry("type") if spec is not None else None
    annotations = metadata.pairs("annotations") if metadata is not None else ()
    return ServiceFacts(
        name=text(name) or "",
        namespace=metadata.text("namespace") if metadata is not None else None,
        span=entry_span(name) or document.span,
        selector=spec.pairs("selector") if spec is not None else (),
        ports=tuple(ServicePort(p.integer("port"), p.text("targetPort")) for p in spec.mappings("ports"))
        if spec is not None
        else (),
        type=text(kind) or "ClusterIP",
        type_span=entry_span(kind),
        is_inside=any(_PRIVATE.get(name, "").lower() == value.lower() for name, value in annotations)
        or _lets_in_some(spec),
        is_headless=spec is not None and spec.text("clusterIP") == "None",
    )


def outlier_detections(document: Mapping) -> Iterator[OutlierDetection]:
    """What a DestinationRule says of instances that fail: for its host as a whole.

    https://istio.io/latest/docs/reference/config/networking/destination-rule/#OutlierDetection
    """
    spec = document.mapping("spec") if document.text("kind") == "DestinationRule" else None
    policy = spec.mapping("trafficPolicy") if spec is not None else None
    found = policy.entry("outlierDetection") if policy is not None else None
    if spec is not None and found is not None:
        yield OutlierDetection(spec.text("host") or "", entry_span(found) or document.span)


def _lets_in_some(spec: Mapping | None) -> bool:
    ranges = [item.text for item in spec.items("loadBalancerSourceRanges") if isinstance(item, Scalar)] if spec else []
    return bool(ranges) and not any(each.endswith("/0") for each in ranges)


def autoscaler(document: Mapping) -> Autoscaler | None:
    """A HorizontalPodAutoscaler, or a ScaledObject of KEDA."""
    metadata, spec = document.mapping("metadata"), document.mapping("spec")
    target = spec.mapping("scaleTargetRef") if spec is not None else None
    if spec is None or target is None:
        return None
    is_keda = document.text("kind") == "ScaledObject"
    minimum = spec.integer("minReplicaCount" if is_keda else "minReplicas")
    return Autoscaler(
        target.text("kind") or "Deployment",
        target.text("name") or "",
        metadata.text("namespace") if metadata is not None else None,
        (0 if is_keda else 1) if minimum is None else minimum,
        tuple(_scaled_by(spec)),
        document.span,
        spec.integer("maxReplicaCount" if is_keda else "maxReplicas"),
    )


def _scaled_by(spec: Mapping) -> Iterator[str]:
    if spec.get("targetCPUUtilizationPercentage") is not None:
        yield "cpu"
    for metric in spec.mappings("metrics"):
        resource = metric.mapping("resource") or metric.mapping("containerResource")
        if resource is not None and not _is_absolute(resource):
            yield resource.text("name") or ""
    for trigger in spec.mappings("triggers"):
        yield trigger.text("type") or ""


def _is_absolute(resource: Mapping) -> bool:
    """It goes by what is used, and not by its share of what is requested."""
    target = resource.mapping("target")
    return (target or resource).get("averageValue" if target is not None else "targetAverageValue") is not None


def limit_range(document: Mapping) -> LimitRange:
    """The defaults that a namespace gives its containers."""
    metadata, spec = document.mapping("metadata"), document.mapping("spec")
    given = (limit.pairs("default") for limit in (spec.mappings("limits") if spec is not None else ()))
    return LimitRange(
        metadata.text("namespace") if metadata is not None else None,
        tuple(dict.fromkeys(name for pairs in given for name, _ in pairs)),
        document.span,
    )


def texts(document: Mapping, key: str) -> Iterator[Variable]:
    """The entries of a map that are plain text, each with its place."""
    held = document.mapping(key)
    for entry in held.entries if held is not None else ():
        if isinstance(entry.value, Scalar):
            yield Variable(entry.key.text, entry.value.text, entry.key.span)


def secret(name: str, document: Mapping) -> SecretFacts:
    """A Secret: `stringData` as it is, `data` out of its base64, where it is text."""
    encoded = (Variable(v.name, _decoded(v.value or ""), v.span) for v in texts(document, "data"))
    return SecretFacts(name, (*encoded, *texts(document, "stringData")), document.span)


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except UnicodeDecodeError:
        return text  # keys are often bytes
    except (binascii.Error, ValueError):
        return None
