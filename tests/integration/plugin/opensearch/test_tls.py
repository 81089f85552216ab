"""The plugin's way to a sidecar by TLS, on real nodes: whom it trusts and who it says it is."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from opensearchpy import OpenSearch

from connectors.meta import IndexMeta
from deploy.local import RunningNode
from plugin.models.encoder import Encoder
from plugin.ranking.errors import LocalEngineError
from plugin.sidecar.app import create_app
from plugin.sidecar.options import SidecarOptions
from tests.certificates import authority, signed
from tests.serving import serving

from .conftest import Articles, index_articles

StartNode = Callable[..., RunningNode]


def test_it_trusts_the_authority_it_is_told_of_and_shows_its_own_certificate(
    start_plugin_node: StartNode,
    minilm: Encoder,
    meta: IndexMeta,
    vectors: Mapping[str, npt.NDArray[np.float32]],
    tmp_path: Path,
) -> None:
    ca, other = authority(tmp_path, "ca"), authority(tmp_path, "other")
    own = signed(tmp_path, "own", by=ca)
    node = start_plugin_node(
        settings={
            # It includes the handshake, and the first of a node on a busy machine is slow.
            "rankside.connect_timeout": "20s",
            "rankside.tls.certificate_authorities": [ca.certificate.name],
            "rankside.tls.certificate": own.certificate.name,
            "rankside.tls.key": own.key.name,
        },
        files=[ca.certificate, own.certificate, own.key],
    )
    asks = {"ssl_ca_certs": ca.certificate, "ssl_cert_reqs": ssl.CERT_REQUIRED}
    with OpenSearch(node.url, timeout=60) as client:
        made = index_articles(client, "articles", 1, meta, vectors)
        app = create_app(SidecarOptions(), minilm)
        with serving(app, **signed(tmp_path, "sidecar", by=ca).files, **asks) as url:
            assert outcome(client, made, url) == ("reranked", None)
        app = create_app(SidecarOptions(), minilm)
        with serving(app, **signed(tmp_path, "imposter", by=other).files) as url:
            assert outcome(client, made, url) == ("passed_through", "sidecar_unavailable")
    assert "unable to find valid certification path" in node.log.read_text("utf-8")


def test_a_wrong_file_stops_the_start_in_one_sentence(
    start_plugin_node: StartNode, tmp_path: Path
) -> None:
    key = authority(tmp_path, "ca").key
    settings = {"rankside.tls.certificate_authorities": [key.name]}
    with pytest.raises(LocalEngineError) as error:
        start_plugin_node(settings=settings, files=[key])
    said = str(error.value).partition("rankside.tls.certificate_authorities: ")[2].splitlines()[0]
    assert said.endswith(f"/config/{key.name} has no certificate in it; give a PEM file")


def outcome(client: OpenSearch, made: Articles, url: str) -> tuple[Any, Any]:
    processor = {"rankside": {"url": [url], "timeout": "30s"}}
    client.search_pipeline.put(id="secret", body={"request_processors": [processor]})
    body = {"query": {"match": {"text": "winter frost"}}}
    found = client.search(index=made.index, body=body, params={"search_pipeline": "secret"})
    said = found["ext"]["rankside"]
    return said["status"], said.get("reason")
