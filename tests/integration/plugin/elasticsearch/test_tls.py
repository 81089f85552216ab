"""Files of certificates that a node is told of: it starts with sound ones, and not without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import RunningNode
from plugin.ranking.errors import LocalEngineError
from tests.certificates import authority, signed

StartNode = Callable[..., RunningNode]


def test_files_of_the_configuration_folder_may_be_read(
    start_plugin_node: StartNode, tmp_path: Path
) -> None:
    ca = authority(tmp_path, "ca")
    own = signed(tmp_path, "own", by=ca)
    settings = {
        "rankside.tls.certificate_authorities": [ca.certificate.name],
        "rankside.tls.certificate": own.certificate.name,
        "rankside.tls.key": own.key.name,
    }
    node = start_plugin_node(settings=settings, files=[ca.certificate, own.certificate, own.key])
    assert "NotEntitledException" not in node.log.read_text("utf-8")


def test_a_wrong_file_stops_the_start_in_one_sentence(
    start_plugin_node: StartNode, tmp_path: Path
) -> None:
    key = authority(tmp_path, "ca").key
    settings = {"rankside.tls.certificate_authorities": [key.name]}
    with pytest.raises(LocalEngineError) as error:
        start_plugin_node(settings=settings, files=[key])
    said = str(error.value).partition("rankside.tls.certificate_authorities: ")[2].splitlines()[0]
    assert said.endswith(f"/config/{key.name} has no certificate in it; give a PEM file")
