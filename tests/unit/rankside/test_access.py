from __future__ import annotations

import pytest

from connectors.options import EngineOptions, SidecarClientOptions
from deploy import local
from plugin.ranking.errors import SettingsError
from rankside.access import client_options, engine_options, named_client
from rankside.settings import Settings

SET = Settings(engine=EngineOptions(url="http://engine:9200", retries=1))


def test_what_is_typed_wins_and_the_rest_stays() -> None:
    typed = engine_options(SET, "http://other:9200")
    assert (typed.url, typed.retries) == ("http://other:9200", 1)
    assert engine_options(SET) == SET.engine
    client = client_options(SET, "http://sidecar:1")
    assert client == SidecarClientOptions(url="http://sidecar:1")
    assert client_options(SET) == SET.client


def test_a_sidecar_is_named_where_it_is_typed_or_set() -> None:
    assert named_client(SET, None) is None
    assert named_client(SET, "http://sidecar:1") == SidecarClientOptions(url="http://sidecar:1")
    client = SidecarClientOptions(url="http://sidecar:2", timeout=3)
    assert named_client(Settings(client=client), None) == client


def test_a_typed_address_is_checked_like_a_set_one() -> None:
    with pytest.raises(SettingsError, match=r"engine\.url = 'localhost:9200' is wrong"):
        engine_options(SET, "localhost:9200")


def test_an_empty_address_is_a_mistake_and_not_the_local_engine() -> None:
    with pytest.raises(SettingsError, match=r"engine\.url = '' is wrong: write an address"):
        engine_options(SET, "")


def test_with_nothing_named_and_nothing_running_the_remedy_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local, "status", lambda _engine: None)
    with pytest.raises(SettingsError, match="rankside engine up"):
        engine_options(Settings())
