"""Prometheus series, one registry an app, every series visible at zero."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from plugin.models.llm import Completion
from plugin.ranking.hits import Status, Strategy
from plugin.ranking.wire import Timings
from plugin.sidecar.call import STAGES
from plugin.sidecar.errors import ANSWERED

REASONS = (
    "deadline",
    "encoder_unavailable",
    "encoder_output",
    "llm_unavailable",
    "llm_output",
    "llm_overloaded",
    "llm_circuit_open",
    "llm_budget_minute",
    "llm_budget_day",
    "llm_answer_unusable",
    "llm_answer_repaired",
    "llm_answer_truncated",
    "llm_windows_lost",
    "head_passed_through",
    "head_settled",
    "insertrank_lost",
    "no_hits",
    "no_text",
    "no_vector_and_no_text",
    "no_vector_signal",
    "query_too_long",
    "stale_vectors",
    "broken_vectors",
    "strategy_none",
    "other",
)
"""Classes of reasons; what stands behind a colon in a reason is detail."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_TOKENS = (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536)
_INPUTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """Every series of one sidecar."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests()
        self._work()

    def _requests(self) -> None:
        registry = self.registry
        self.requests = Counter(
            "rankside_requests", "Answers.", ("route", "status"), registry=registry
        )
        self.request_seconds = Histogram(
            "rankside_request_seconds",
            "Time to answer.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.reranks = Counter(
            "rankside_reranks",
            "Rankings by what became of them.",
            ("strategy", "status", "reason"),
            registry=registry,
        )
        self.stage_seconds = Histogram(
            "rankside_stage_seconds",
            "Time of a stage of a ranking.",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )
        for stage in STAGES:
            self.stage_seconds.labels(stage)
        for strategy in Strategy:
            for reason in ("", "head_settled"):
                self.reranks.labels(strategy.value, Status.RERANKED.value, reason)
            for status in (Status.PARTIAL, Status.PASSED_THROUGH):
                for reason in REASONS:
                    self.reranks.labels(strategy.value, status.value, reason)

    def _work(self) -> None:
        registry = self.registry
        self.ready = Gauge("rankside_ready", "1 while ready to rank.", registry=registry)
        self.queue_tokens = Gauge(
            "rankside_queue_tokens", "Tokens queued and running, estimated.", registry=registry
        )
        self.refusals = Counter(
            "rankside_admission_refusals", "Calls refused with 429.", registry=registry
        )
        self.batch_tokens = Histogram(
            "rankside_batch_tokens",
            "Tokens of a batch, as counted by the encoder.",
            buckets=_TOKENS,
            registry=registry,
        )
        self.batch_inputs = Histogram(
            "rankside_batch_inputs", "Texts of a batch.", buckets=_INPUTS, registry=registry
        )
        self.batch_failures = Counter(
            "rankside_batch_failures", "Batches the encoder failed on.", registry=registry
        )
        self.truncated = Counter(
            "rankside_truncated_texts", "Texts cut to fit the model.", registry=registry
        )
        self.cache = Counter(
            "rankside_cache_lookups", "Document vectors looked up.", ("result",), registry=registry
        )
        self.cache_bytes = Gauge("rankside_cache_bytes", "Bytes of the cache.", registry=registry)
        self.llm_tokens = Counter(
            "rankside_llm_tokens", "Tokens of the LLM.", ("kind",), registry=registry
        )
        self.llm_cost = Counter(
            "rankside_llm_cost", "Cost of the LLM's tokens by llm.price.", registry=registry
        )
        self.llm_answers = Counter(
            "rankside_llm_answers",
            "Answers of the LLM: whole, cut short, or cached.",
            ("how",),
            registry=registry,
        )
        for how in ("whole", "cut", "cached"):
            self.llm_answers.labels(how)
        for result in ("hit", "miss"):
            self.cache.labels(result)
        for kind in ("prompt", "completion"):
            self.llm_tokens.labels(kind)

    def know_routes(self, routes: Iterable[str]) -> None:
        """Make the series of ``routes`` visible."""
        for route in routes:
            self.request_seconds.labels(route)
            for status in ANSWERED:
                self.requests.labels(route, str(status))

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self.requests.labels(route, str(status)).inc()
        self.request_seconds.labels(route).observe(seconds)

    def ranked(
        self, strategy: Strategy, status: Status, reason: str | None, timings: Timings
    ) -> None:
        """Count a ranking and its stages."""
        self.reranks.labels(strategy.value, status.value, reason_class(reason)).inc()
        for stage in STAGES:
            if seconds := getattr(timings, stage) / 1000:
                self.stage_seconds.labels(stage).observe(seconds)

    def batch(self, inputs: int, tokens: int) -> None:
        """Count a batch; for any thread."""
        self.batch_inputs.observe(inputs)
        self.batch_tokens.observe(tokens)

    def looked_up(self, hits: int, misses: int, size: int) -> None:
        """Count lookups in the cache of ``size`` bytes."""
        self.cache.labels("hit").inc(hits)
        self.cache.labels("miss").inc(misses)
        self.cache_bytes.set(size)

    def completed(self, completion: Completion, cost: float) -> None:
        """Count an LLM's answer and what it cost."""
        self.llm_tokens.labels("prompt").inc(completion.prompt_tokens)
        self.llm_tokens.labels("completion").inc(completion.completion_tokens)
        self.llm_cost.inc(cost)
        how = "cached" if completion.cached else "cut" if completion.cut else "whole"
        self.llm_answers.labels(how).inc()

    def exposition(self) -> bytes:
        """Every series in Prometheus' text format."""
        return generate_latest(self.registry)


def reason_class(reason: str | None) -> str:
    """The class of a reason, out of a closed list, so that series cannot multiply."""
    if reason is None:
        return ""
    head = reason.split(":", 1)[0]
    return head if head in REASONS else "other"
