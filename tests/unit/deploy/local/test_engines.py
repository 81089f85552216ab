from __future__ import annotations

import zipfile
from importlib import resources
from pathlib import Path

from deploy.local.elasticsearch import SOURCES, source, write_jar
from deploy.local.elasticsearch_plugin import PLUGIN_CHECK
from deploy.local.keystore import keystore_writer
from deploy.local.opensearch import OpenSearch, descriptor, of_version
from deploy.local.opensearch_recipe import RELEASES, VERSION


def test_java_sources_are_shipped_and_declare_the_package_of_their_folder() -> None:
    writers = [keystore_writer("opensearch"), keystore_writer("elasticsearch")]
    known = [*SOURCES, *writers, PLUGIN_CHECK]
    for name in known:
        package = Path(name).parent.as_posix().replace("/", ".")
        assert f"package {package};" in source(name).decode()
    shipped = Path(str(resources.files("deploy.local"))) / "java"
    there = {file.relative_to(shipped).as_posix() for file in shipped.rglob("*.java")}
    assert there == set(known)


def test_a_jar_holds_the_classes_of_its_prefix_behind_its_manifest(tmp_path: Path) -> None:
    for name in (
        "rankside/local/Root.class",
        "rankside/local/Root$1.class",
        "rankside/Other.class",
    ):
        (tmp_path / "classes" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "classes" / name).touch()
    write_jar(tmp_path / "lib" / "x.jar", tmp_path / "classes", "rankside/local/Root", "A: b\n")
    with zipfile.ZipFile(tmp_path / "lib" / "x.jar") as jar:
        assert jar.namelist() == [
            "META-INF/MANIFEST.MF",
            "rankside/local/Root$1.class",
            "rankside/local/Root.class",
        ]
        assert jar.read("META-INF/MANIFEST.MF") == b"A: b\n"


def test_every_opensearch_module_has_a_whole_descriptor() -> None:
    modules = [module for version in RELEASES for module in of_version(version).recipe.modules]
    for module in modules:
        lines = descriptor(module).splitlines()
        fields = dict(line.split("=", 1) for line in lines)
        assert fields["name"] == module.name
        assert fields["classname"].startswith("org.opensearch.")
        assert fields["opensearch.version"] == module.artifact.version
        assert fields["extended.plugins"] == ",".join(module.extends)


def test_the_local_onnx_runtime_is_left_out() -> None:
    assert "onnxruntime_gpu-*.jar" in OpenSearch().recipe.skipped


def test_a_version_without_its_plugins_has_none_of_their_settings() -> None:
    usual, newer = OpenSearch(), of_version("3.8.0")
    assert usual == of_version(VERSION)
    assert usual.recipe.plugins
    assert newer.recipe.plugins == ()
    assert "plugins.ml_commons.only_run_on_ml_node" in usual.settings
    assert not any(key.startswith("plugins.") for key in newer.settings)
