from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from deploy.local import ENGINES
from deploy.local.distribution import Distribution
from deploy.local.launch import Layout, common_flags, flat_yaml
from deploy.local.toolchain import Jdk

SETTINGS = st.dictionaries(
    st.from_regex(r"[a-z_.]{1,20}", fullmatch=True),
    st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()),
)


@given(SETTINGS)
def test_settings_are_one_line_each_and_keep_their_values(settings: dict[str, object]) -> None:
    lines = flat_yaml(settings).splitlines()
    read = {key: json.loads(value) for key, _, value in (line.partition(": ") for line in lines)}
    assert read == settings


def test_the_temporary_folder_is_new_at_each_start_and_the_data_is_not(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "node")
    layout.make()
    (layout.tmp / "old").touch()
    (layout.data / "index").touch()
    layout.make()
    assert not (layout.tmp / "old").exists()
    assert (layout.data / "index").exists()


def test_the_log_is_written_where_the_node_says_it_is(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "node")
    layout.make()
    layout.configure("elasticsearch", {"a": 1})
    assert (layout.config / "elasticsearch.yml").read_text() == "a: 1\n"
    logging = (layout.config / "log4j2.properties").read_text()
    assert f"appender.file.fileName = {layout.log}\n" in logging


def test_every_jvm_has_its_heap_and_writes_only_into_its_own_folder(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "node")
    flags = common_flags(layout, "768m")
    assert {"-Xms768m", "-Xmx768m", f"-Djava.io.tmpdir={layout.tmp}"} <= set(flags)


def test_every_engine_marks_its_process_with_its_instance(tmp_path: Path, jdk: Jdk) -> None:
    home, layout = tmp_path / "home", Layout(tmp_path / "node")
    for file in ("agent/opensearch-agent-1.jar", "lib/entitlement-bridge/bridge.jar"):
        (home / file).parent.mkdir(parents=True)
        (home / file).touch()
    for engine in ENGINES.values():
        command = engine.command(Distribution(engine, home, jdk), layout, "1g")
        assert command[0] == str(jdk.home / "bin" / "java")
        assert any(str(layout.config) in word for word in command)
