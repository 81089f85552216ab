"""Elasticsearch's inference services as its sources have them: what each sends, what it reads.

The node that tests run has no inference, so its clients of the sidecar are played here. Sources:
github.com/elastic/elasticsearch, x-pack/plugin/inference (releases 8.19 to 9.5), in
org.elasticsearch.xpack.inference: each class below names its own. What they share is there too:
`BaseResponseHandler` (errors), `RetrySettings` (what is tried again, up to 30 s), `InputType` of
the server (the ingest processor's calls are `internal_ingest`, a query vector builder's
`internal_search`).
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

JSON = "application/json"
_PLACE = re.compile(r"\$\{(.*?)\}")


class Unreadable(Exception):
    """The service can not make this request, or not read this answer."""


@dataclass(frozen=True)
class Ranked:
    """One entry of `RankedDocsResults`: the text's place in the request, and its score."""

    index: int
    score: float


@dataclass(frozen=True)
class Refusal:
    """What becomes of an error answer: whether the service tries again, and what it says."""

    again: bool
    message: str


class Service(Protocol):
    """One endpoint's client."""

    def embedding(self, texts: Sequence[str], input_type: str) -> httpx.Request:
        """The request for vectors of ``texts``."""
        ...

    def reranking(self, query: str, texts: Sequence[str]) -> httpx.Request:
        """The request for scores of ``texts``."""
        ...

    def vectors(self, answer: httpx.Response) -> list[list[float]]:
        """The vectors of a good answer."""
        ...

    def ranked(self, answer: httpx.Response) -> list[Ranked]:
        """The scores of a good answer, as they stand there."""
        ...

    def refusal(self, answer: httpx.Response) -> Refusal:
        """What the service makes of an error."""
        ...


@dataclass(frozen=True)
class Custom:
    """services.custom: `CustomRequest`, `EmbeddingParameters`, `RerankParameters`,
    `InputTypeTranslator`, `DenseEmbeddingResponseParser`, `RerankResponseParser`,
    `CustomResponseHandler`, `CustomErrorResponseEntity`; common: `ValidatingSubstitutor`,
    `MapPathExtractor`.

    ``settings`` are an endpoint's `service_settings`, as put.
    """

    settings: Mapping[str, Any]

    def embedding(self, texts: Sequence[str], input_type: str) -> httpx.Request:
        kinds = self.settings.get("input_type", {})
        # The types that the engine uses inside have no translation, hence the default.
        kind = kinds.get("translation", {}).get(input_type, kinds.get("default", ""))
        return self._request(input=texts, input_type=kind)

    def reranking(self, query: str, texts: Sequence[str]) -> httpx.Request:
        return self._request(input=texts, query=query)

    def vectors(self, answer: httpx.Response) -> list[list[float]]:
        parser = self.settings["response"]["json_parser"]
        return [_floats(vector) for vector in extract(answer.json(), parser["text_embeddings"])]

    def ranked(self, answer: httpx.Response) -> list[Ranked]:
        parser = self.settings["response"]["json_parser"]
        scores = _floats(extract(answer.json(), parser["relevance_score"]))
        places = extract(answer.json(), parser["reranked_index"])
        if len(places) != len(scores):
            raise Unreadable(f"{len(places)} places for {len(scores)} scores")
        return [Ranked(int(place), score) for place, score in zip(places, scores, strict=True)]

    def refusal(self, answer: httpx.Response) -> Refusal:
        return Refusal(answer.status_code == 429, f"{answer.status_code}, body: {answer.json()}")

    def _request(self, **given: Any) -> httpx.Request:
        secrets = self.settings.get("secret_parameters", {})
        texts = {name: json.dumps(value) for name, value in {**secrets, **given}.items()}
        headers = {"Content-Type": f"{JSON}; charset=UTF-8"}
        for name, value in self.settings.get("headers", {}).items():
            headers[name] = substitute(value, secrets)
        body = substitute(self.settings["request"], texts)
        url = substitute(self.settings["url"], secrets)
        return httpx.Request("POST", url, headers=headers, content=body.encode())


@dataclass(frozen=True)
class OpenAi:
    """services.openai: `OpenAiEmbeddingsRequestEntity`, `OpenAiEmbeddingsResponseEntity`,
    `OpenAiResponseHandler`; external.response: `ErrorMessageResponseEntity`.

    ``packed`` asks for base64, as newer releases do. There is no rerank task.
    """

    url: str
    model: str = "any"
    key: str = "none"
    packed: bool = False

    def embedding(self, texts: Sequence[str], input_type: str) -> httpx.Request:
        del input_type  # it has none
        packed = {"encoding_format": "base64"} if self.packed else {}
        return _post(self.url, self.key, {"input": list(texts), "model": self.model, **packed})

    def reranking(self, query: str, texts: Sequence[str]) -> httpx.Request:
        del query, texts
        raise Unreadable("the service has no rerank task")

    def vectors(self, answer: httpx.Response) -> list[list[float]]:
        return [_openai_vector(entry["embedding"]) for entry in answer.json()["data"]]

    def ranked(self, answer: httpx.Response) -> list[Ranked]:
        del answer
        raise Unreadable("the service has no rerank task")

    def refusal(self, answer: httpx.Response) -> Refusal:
        # 413 is tried again with texts cut in half; `Truncator`.
        again = answer.status_code in {413, 429, 500, 503}
        return Refusal(again, str(answer.json()["error"]["message"]))


@dataclass(frozen=True)
class OpenShiftAi(OpenAi):
    """services.openshiftai: `OpenShiftAiEmbeddingsRequestEntity`, `OpenShiftAIRerankRequestEntity`,
    `OpenShiftAiActionCreator`; services.cohere: `CohereRankedResponseEntity`,
    `CohereResponseHandler`.

    Errors of the rerank task are known by their status alone.
    """

    def reranking(self, query: str, texts: Sequence[str]) -> httpx.Request:
        body = {"model": self.model, "query": query, "documents": list(texts)}
        return _post(self.url, self.key, body)

    def ranked(self, answer: httpx.Response) -> list[Ranked]:
        results = answer.json()["results"]
        for result in results:
            if not result.keys() <= {"index", "relevance_score", "document"}:
                raise Unreadable(f"it knows no other field: {sorted(result)}")
        return [Ranked(result["index"], float(result["relevance_score"])) for result in results]


@dataclass(frozen=True)
class HuggingFace:
    """services.huggingface: `HuggingFaceEmbeddingsRequestEntity`,
    `HuggingFaceEmbeddingsResponseEntity`, `HuggingFaceRerankRequestEntity`,
    `HuggingFaceRerankResponseEntity`, `HuggingFaceResponseHandler`.
    """

    url: str
    key: str = "none"

    def embedding(self, texts: Sequence[str], input_type: str) -> httpx.Request:
        del input_type  # it has none
        return _post(self.url, self.key, {"inputs": list(texts)})

    def reranking(self, query: str, texts: Sequence[str]) -> httpx.Request:
        return _post(self.url, self.key, {"documents": list(texts), "query": query})

    def vectors(self, answer: httpx.Response) -> list[list[float]]:
        body = answer.json()
        if isinstance(body, dict) and "embeddings" not in body:
            raise Unreadable("neither a list of vectors nor an object with `embeddings`")
        return [
            _floats(vector) for vector in (body["embeddings"] if isinstance(body, dict) else body)
        ]

    def ranked(self, answer: httpx.Response) -> list[Ranked]:
        body = answer.json()
        if not isinstance(body, list):
            raise Unreadable("the answer is to begin with a bracket")
        return [Ranked(one["index"], float(one["score"])) for one in body]

    def refusal(self, answer: httpx.Response) -> Refusal:
        # Its own servers' `error` is a text, so of an object nothing is read.
        return Refusal(answer.status_code in {413, 429, 502, 503}, "")


def text_similarity_rerank(
    first_stage: Sequence[tuple[str, float]], ranked: Sequence[Ranked]
) -> list[tuple[str, float]]:
    """Hits as `text_similarity_reranker` orders them: id and `_score`, best first.

    rank.textsimilarity.TextSimilarityRankFeaturePhaseRankCoordinatorContext: one score for each
    hit, by index, or the search fails; scores are moved up by one.
    """
    if sorted(one.index for one in ranked) != list(range(len(first_stage))):
        raise Unreadable("input document count and returned score count mismatch")
    scores = {one.index: one.score for one in ranked}
    moved = [(hit, scores[place] + 1) for place, (hit, _) in enumerate(first_stage)]
    return sorted(moved, key=lambda hit: -hit[1])


def substitute(template: str, values: Mapping[str, str], depth: int = 0) -> str:
    """``template`` with its `${names}` filled in, and those of the values after them.

    common.ValidatingSubstitutor, over commons-text's StringSubstitutor: what stands for nothing is
    refused, also where it came in with a value; `${name:-other}` is `other` where there is no name.
    """

    def value(match: re.Match[str]) -> str:
        name, has_default, default = match[1].partition(":-")
        if name in values and depth < 10:
            return substitute(values[name], values, depth + 1)
        if has_default:
            return default
        raise Unreadable(f"found placeholder [{match[0]}] after replacement")

    return _PLACE.sub(value, template)


def extract(data: Any, path: str) -> Any:
    """What is at ``path``; common.MapPathExtractor: lists stay nested, a missing field fails."""
    if not path.startswith("$"):
        raise Unreadable(f"{path} must start with a dollar sign")
    return _navigate(data, path[1:])


def _navigate(current: Any, rest: str) -> Any:
    if not rest:
        return current
    if rest.startswith("[*]"):
        if not isinstance(current, list):
            raise Unreadable(f"{rest} is for a list")
        return [_navigate(item, rest[3:]) for item in current]
    field = re.match(r"\.([^.\[]+)", rest)
    if field is None or not isinstance(current, dict) or current.get(field[1]) is None:
        raise Unreadable(f"unable to find {rest}")
    return _navigate(current[field[1]], rest[field.end() :])


def _floats(numbers: Any) -> list[float]:
    """`BaseCustomResponseParser.convertToListOfFloats`: any JSON numbers, and nothing else."""
    if not isinstance(numbers, list) or not all(type(one) in {int, float} for one in numbers):
        raise Unreadable("not a list of numbers")
    return [float(one) for one in numbers]


def _openai_vector(embedding: Any) -> list[float]:
    if not isinstance(embedding, str):
        return _floats(embedding)
    raw = base64.b64decode(embedding, validate=True)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def _post(url: str, key: str, body: Mapping[str, Any]) -> httpx.Request:
    headers = {"Content-Type": JSON, "Authorization": f"Bearer {key}"}
    return httpx.Request("POST", url, headers=headers, content=json.dumps(body).encode())
