"""Figures for Prometheus: counts and states of this node; no names of jobs, assets or people."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """One registry per node, so that several may live in one process (tests)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.jobs = Counter("unseen_jobs", "Jobs that ended here", ["state"], registry=self.registry)
        self.tasks = Counter(
            "unseen_task_attempts", "Attempts of tasks that ended here", ["outcome"], registry=self.registry
        )
        self.task_seconds = Histogram(
            "unseen_task_seconds",
            "Wall time of task attempts",
            buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200),
            registry=self.registry,
        )
        self.denials = Counter(
            "unseen_denials", "What contracts and policies refused", registry=self.registry
        )
        self.peers_connected = Gauge(
            "unseen_peers_connected", "Peers with a connection", registry=self.registry
        )
        self.mail_waiting = Gauge("unseen_mail_waiting", "Letters not yet receipted", registry=self.registry)
        self.log_size = Gauge("unseen_log_entries", "Entries in this party's log", registry=self.registry)

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)
