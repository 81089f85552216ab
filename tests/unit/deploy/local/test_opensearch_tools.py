from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.opensearch_tools import write_keystore
from deploy.local.toolchain import Jdk
from plugin.ranking.errors import SettingsError

# Keeps what it was told, where the real one would write the keystore.
JAVA = """#!/bin/sh
for word; do config="$word"; done
echo "$*" > "$config/words"
cat > "$config/opensearch.keystore"
"""


@pytest.fixture
def jdk(tmp_path: Path) -> Jdk:
    java = tmp_path / "jdk" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(JAVA)
    java.chmod(0o755)
    return Jdk(tmp_path / "jdk", 25)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    return tmp_path / "config"


def test_entries_reach_the_keystore_but_no_command_line(config: Path, jdk: Jdk) -> None:
    write_keystore(config, jdk, config, {"rankside.auth.a.key": "se=cret", "b": ""})
    assert (config / "opensearch.keystore").read_text() == "rankside.auth.a.key=se=cret\nb="
    assert "cret" not in (config / "words").read_text()


def test_without_entries_none_of_the_start_before_stay(config: Path, jdk: Jdk) -> None:
    (config / "opensearch.keystore").write_text("old")
    write_keystore(config, jdk, config, {})
    assert list(config.iterdir()) == []


@pytest.mark.parametrize(("name", "value"), [("a b", "x"), ("", "x"), ("a=b", "x\ny"), ("a", "\n")])
def test_what_the_keystore_cannot_hold_is_refused(
    config: Path, jdk: Jdk, name: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=r"cannot be put into the keystore: its name may have"):
        write_keystore(config, jdk, config, {name: value})
