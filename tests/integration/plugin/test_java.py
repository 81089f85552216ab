"""The Java modules of the engine plugins: they compile without a warning and their tests pass."""

from __future__ import annotations

import os
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

from deploy.local.toolchain import find_jdk, find_maven

PLUGIN = Path(__file__).parents[3] / "plugin"
JAVA = 21


def test_the_java_modules_pass_their_tests() -> None:
    command = [str(find_maven()), "-B", "-q", "-f", str(PLUGIN / "pom.xml"), "clean", "verify"]
    environment = {**os.environ, "JAVA_HOME": str(find_jdk(JAVA).home)}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]
    reports = [ET.parse(file).getroot() for file in PLUGIN.glob("*/target/surefire-reports/*.xml")]
    counts = {name: sum(int(one.attrib[name]) for one in reports) for name in ("tests", "skipped")}
    assert counts["tests"] > 0
    assert counts["skipped"] == 0
