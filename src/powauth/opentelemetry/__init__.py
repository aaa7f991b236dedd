"""Spans and metrics by OpenTelemetry; needs `powauth[opentelemetry]`."""

from powauth.opentelemetry.measuring import OpenTelemetry

__all__ = ["OpenTelemetry"]
