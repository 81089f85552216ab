from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.keystore import write_keystore
from deploy.local.recipe import EngineName
from deploy.local.toolchain import Jdk
from plugin.ranking.errors import SettingsError

# Keeps what it was told, where the real one would write the keystore.
JAVA = """#!/bin/sh
for word; do config="$word"; done
echo "$*" > "$config/words"
cat > "$config/keystore"
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


ENGINES: list[EngineName] = ["opensearch", "elasticsearch"]


@pytest.mark.parametrize("engine", ENGINES)
def test_entries_reach_the_keystore_but_no_command_line(
    config: Path, jdk: Jdk, engine: EngineName
) -> None:
    entries = {"rankside.auth.a.key": "se=cret", "b": ""}
    write_keystore(engine, config, jdk, config, entries)
    assert (config / "keystore").read_text() == "rankside.auth.a.key=se=cret\nb="
    words = (config / "words").read_text()
    assert f"/rankside/local/{engine}/KeystoreWriter.java " in words
    assert "cret" not in words


@pytest.mark.parametrize("engine", ENGINES)
def test_without_entries_none_of_the_start_before_stay(
    config: Path, jdk: Jdk, engine: EngineName
) -> None:
    (config / f"{engine}.keystore").write_text("old")
    write_keystore(engine, config, jdk, config, {})
    assert list(config.iterdir()) == []


@pytest.mark.parametrize(("name", "value"), [("a b", "x"), ("", "x"), ("a=b", "x\ny"), ("a", "\n")])
def test_what_the_keystore_cannot_hold_is_refused(
    config: Path, jdk: Jdk, name: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=r"cannot be put into the keystore: its name may have"):
        write_keystore("opensearch", config, jdk, config, {name: value})
