"""The only door to the cluster: starts it, queues runs and background jobs, asks models."""

from digits.engine.client import Engine, JobStatus

__all__ = ["Engine", "JobStatus"]
