"""The way to a sidecar by TLS and with a key: whom a node trusts and who it says it is."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from connectors.meta import IndexMeta
from deploy.local import RunningNode
from evaluation.local_sidecar import free_port
from plugin.models.encoder import Encoder
from plugin.ranking.errors import LocalEngineError
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.certificates import authority, signed
from tests.integration.plugin.elasticsearch.conftest import (
    PATIENT,
    Vectors,
    client_of,
    index_articles,
)
from tests.integration.plugin.elasticsearch.searching import STANDARD, reranked, search
from tests.serving import serving

StartNode = Callable[..., RunningNode]


def test_it_trusts_the_authority_it_is_told_of_and_shows_its_certificate_and_key(
    start_plugin_node: StartNode, minilm: Encoder, meta: IndexMeta, vectors: Vectors, tmp_path: Path
) -> None:
    """One node whose sidecar is another one each time, at the address that it has been told."""
    ca, other = authority(tmp_path, "ca"), authority(tmp_path, "other")
    own = signed(tmp_path, "own", by=ca)
    port = free_port()
    node = start_plugin_node(
        f"https://127.0.0.1:{port}",
        settings={
            # It includes the handshake, and the first of a node on a busy machine is slow.
            "rankside.connect_timeout": "20s",
            "rankside.tls.certificate_authorities": [ca.certificate.name],
            "rankside.tls.certificate": own.certificate.name,
            "rankside.tls.key": own.key.name,
            **PATIENT,
        },
        api_key="the-key",
        files=[ca.certificate, own.certificate, own.key],
    )
    right, wrong = keys(tmp_path, "the-key", "another"), keys(tmp_path, "another")
    sound, imposter = signed(tmp_path, "sidecar", by=ca), signed(tmp_path, "imposter", by=other)
    asks = {"ssl_ca_certs": ca.certificate, "ssl_cert_reqs": ssl.CERT_REQUIRED}
    asks_others = {"ssl_ca_certs": other.certificate, "ssl_cert_reqs": ssl.CERT_REQUIRED}
    with client_of(node) as client:
        index = index_articles(client, "articles", 1, meta, vectors).index
        with serving(create_app(right, minilm), port, **sound.files, **asks):
            assert search(client, index, reranked()).said["status"] == "reranked"
        with serving(create_app(wrong, minilm), port, **sound.files, **asks):
            detail = passed_through(client, index, "sidecar_rejected")
            assert "HTTP 401" in detail
        with serving(create_app(right, minilm), port, **imposter.files):
            detail = passed_through(client, index, "sidecar_unavailable")
            assert "unable to find valid certification path" in detail
        with serving(create_app(right, minilm), port, **sound.files, **asks_others):
            passed_through(client, index, "sidecar_unavailable")
        with serving(create_app(right, minilm), port, **sound.files, **asks):
            assert search(client, index, reranked()).said["status"] == "reranked"
    log = node.log.read_text("utf-8")
    assert "NotEntitledException" not in log
    assert "the-key" not in log


def test_without_the_key_that_a_sidecar_asks_for_it_is_passed_through(
    start_plugin_node: StartNode, minilm: Encoder, meta: IndexMeta, vectors: Vectors, tmp_path: Path
) -> None:
    options = keys(tmp_path, "the-key")
    with serving(create_app(options, minilm)) as url, client_of(start_plugin_node(url)) as client:
        index = index_articles(client, "articles", 1, meta, vectors).index
        assert "HTTP 401" in passed_through(client, index, "sidecar_rejected")


def test_a_wrong_file_stops_the_start_in_one_sentence(
    start_plugin_node: StartNode, tmp_path: Path
) -> None:
    key = authority(tmp_path, "ca").key
    settings = {"rankside.tls.certificate_authorities": [key.name]}
    with pytest.raises(LocalEngineError) as error:
        start_plugin_node(settings=settings, files=[key])
    said = str(error.value).partition("rankside.tls.certificate_authorities: ")[2].splitlines()[0]
    assert said.endswith(f"/config/{key.name} has no certificate in it; give a PEM file")


def keys(folder: Path, *known: str) -> SidecarOptions:
    """Options of a sidecar that lets in who has one of these keys."""
    file = folder / "-".join(known)
    file.write_text("\n".join(known), "utf-8")
    return SidecarOptions(keys_file=file)


def passed_through(client: Elasticsearch, index: str, reason: str) -> str:
    """The detail of a search that is in first-stage order for that reason."""
    answer = search(client, index, reranked())
    said: dict[str, Any] = dict(answer.said)
    assert (said["status"], said["reason"]) == ("passed_through", reason)
    assert answer.hits == search(client, index, STANDARD).hits
    return str(said["detail"])
