"""The only door to the cluster: starts it, queues runs and background jobs, asks models."""

from digits.engine.client import BackgroundJob, Engine

__all__ = ["BackgroundJob", "Engine"]
