from __future__ import annotations

import threading
from pathlib import Path

import pytest

from deploy.local.plugin import SOURCES, build_plugin
from deploy.local.toolchain import Jdk
from plugin.ranking.errors import LocalEngineError

MVN = """#!/bin/sh
echo "$*" >> {runs}
case "$*" in *-Dopensearch.version=*) engine=opensearch;; *) engine=elasticsearch;; esac
cd "${{3%/*}}/$engine"
mkdir target
cp src/main/java/P.java target/rankside-$engine-9.zip
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Java sources as in a checkout, with what a build of somebody else left."""
    files = {
        "pom.xml": "<project/>",
        "opensearch/pom.xml": "<project/>",
        "opensearch/src/main/java/P.java": "class P {}",
        "opensearch/src/test/java/PTest.java": "class PTest {}",
        "elasticsearch/pom.xml": "<project/>",
        "elasticsearch/src/main/java/P.java": "class P { /* another */ }",
        "opensearch/target/old.zip": "old",
        "ranking/fusion.py": "",
    }
    for name, text in files.items():
        (tmp_path / "plugin" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "plugin" / name).write_text(text)
    return tmp_path / "plugin"


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Maven whose zip is the source it was given; its runs' words are in the file returned."""
    runs, mvn = tmp_path / "runs", tmp_path / "bin" / "mvn"
    mvn.parent.mkdir()
    mvn.write_text(MVN.format(runs=runs))
    mvn.chmod(0o755)
    monkeypatch.setenv("PATH", f"{mvn.parent}:/usr/bin:/bin")
    monkeypatch.setattr("deploy.local.plugin.find_jdk", lambda lowest: Jdk(tmp_path, lowest))
    return runs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


pytestmark = pytest.mark.usefixtures("not_root", "maven")


def test_it_is_built_once_and_again_when_a_source_changed(
    sources: Path, root: Path, maven: Path
) -> None:
    built = build_plugin(version="9", root=root, sources=sources)
    assert built.read_text() == "class P {}"
    assert build_plugin(version="9", root=root, sources=sources) == built
    assert len(maven.read_text().splitlines()) == 1
    (sources / "opensearch/src/main/java/P.java").write_text("class P { int x; }")
    assert build_plugin(version="9", root=root, sources=sources).read_text() == "class P { int x; }"
    assert built.read_text() == "class P {}"


@pytest.mark.parametrize("name", ["opensearch/src/test/java/PTest.java", "ranking/fusion.py"])
def test_what_is_not_in_the_zip_does_not_count(sources: Path, root: Path, name: str) -> None:
    built = build_plugin(version="9", root=root, sources=sources)
    (sources / name).write_text("changed")
    assert build_plugin(version="9", root=root, sources=sources) == built


def test_another_version_of_the_engine_is_another_zip(
    sources: Path, root: Path, maven: Path
) -> None:
    build_plugin(version="9", root=root, sources=sources)
    assert "-Dopensearch.version=9 " in maven.read_text()
    with pytest.raises(FileNotFoundError):  # the Maven of this test makes no other
        build_plugin(version="10", root=root, sources=sources)
    assert "-Dopensearch.version=10 " in maven.read_text()


def test_each_engine_has_its_own_module_version_and_zip(
    sources: Path, root: Path, maven: Path
) -> None:
    built = build_plugin("elasticsearch", version="9", root=root, sources=sources)
    assert built.name.startswith("rankside-elasticsearch-9-")
    assert built.read_text() == "class P { /* another */ }"
    assert "-Delasticsearch.version=9 " in maven.read_text()
    assert build_plugin(version="9", root=root, sources=sources).read_text() == "class P {}"


def test_the_checkout_is_left_as_it_is(sources: Path, root: Path, maven: Path) -> None:
    before = {file: file.read_bytes() for file in sources.rglob("*") if file.is_file()}
    build_plugin(version="9", root=root, sources=sources)
    assert str(sources) not in maven.read_text()
    after = {file: file.read_bytes() for file in sources.rglob("*") if file.is_file()}
    assert after == before


def test_callers_at_the_same_time_share_one_build(sources: Path, root: Path, maven: Path) -> None:
    built: list[Path] = []
    threads = [
        threading.Thread(
            target=lambda: built.append(build_plugin(version="9", root=root, sources=sources))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 4
    assert len(set(built)) == 1
    assert len(maven.read_text().splitlines()) == 1


def test_sources_that_do_not_compile_are_said_with_the_first_error(
    sources: Path, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "bin" / "mvn").write_text(
        "#!/bin/sh\necho '[ERROR] COMPILATION ERROR : '\necho '[ERROR] P.java:[1,9] ; expected'\n"
        "exit 1\n"
    )
    with pytest.raises(LocalEngineError, match=r"correct its sources.*: P\.java:\[1,9\] ; expecte"):
        build_plugin(version="9", root=root, sources=sources)
    assert list((root / "plugins").iterdir()) == []


def test_an_installation_without_java_sources_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(LocalEngineError, match=r"git checkout, or .* `--plugin PATH-TO-ZIP`"):
        build_plugin(root=tmp_path / "root", sources=tmp_path)


def test_the_sources_are_those_of_this_checkout() -> None:
    assert (SOURCES / "opensearch" / "pom.xml").is_file()
