"""A Spark without the jars that no load uses: links to the installed one, made once; in an image, what is left of it."""

import os
import subprocess
from pathlib import Path

import pytest

from batchstream.local.java import java_home
from batchstream.local.quick_start import spark_home as module
from batchstream.local.quick_start.spark_home import UNUSED, VECTORS, installed_spark, remove_unused, spark_home

INSTALLED = {path.name for path in (installed_spark() / "jars").iterdir()}


def test_it_has_links_to_every_jar_but_those_that_no_load_uses(tmp_path: Path) -> None:
    home = spark_home(tmp_path)
    links = {path.name: path for path in (home / "jars").iterdir()}
    assert all(path.resolve() == installed_spark() / "jars" / name for name, path in links.items())
    left_out = INSTALLED - links.keys()
    assert all(name.startswith(UNUSED) for name in left_out)
    for prefix in UNUSED:
        assert any(name.startswith(prefix) for name in left_out), prefix
    assert {path.name for path in (home / "bin").iterdir()} == {path.name for path in (installed_spark() / "bin").iterdir()}
    # What a master may be is for the connection to say.
    for kept in ("spark-sql_", "spark-core_", "spark-kubernetes_", "spark-yarn_", "hive-storage-api", "orc-core"):
        assert any(name.startswith(kept) for name in links), kept


def test_java_gets_what_sparks_own_script_gives_it_but_the_vectors(tmp_path: Path) -> None:
    given = {}
    for spark in (installed_spark(), spark_home(tmp_path / "clone")):
        java = tmp_path / spark.name / "bin" / "java"
        java.parent.mkdir(parents=True)
        # Spark's launcher is a Java itself, and has to tell what to run.
        java.write_text(f'#!/bin/bash\n[[ "$*" == *launcher.Main* ]] && exec {java_home()}/bin/java "$@"\nprintf "%s\\n" "$@"\n')
        java.chmod(0o755)
        command = [spark / "bin" / "spark-submit", "--conf", "spark.driver.extraJavaOptions=-Da='b c'", "--name", "", "x y.py"]
        environment = {**os.environ, "SPARK_HOME": str(spark), "JAVA_HOME": str(java.parent.parent)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        given[spark] = [word.replace(str(spark), "SPARK") for word in done.stdout.split("\n")]
    packaged, ours = given.values()
    assert "-Da=b c" in ours
    assert ours[-4:] == ["--name", "", "x y.py", ""]
    assert VECTORS in packaged
    packaged.remove(VECTORS)
    assert ours == packaged


def test_an_image_keeps_the_same_jars(tmp_path: Path) -> None:
    for jar in (installed_spark() / "jars").iterdir():
        copied = tmp_path / "jars" / jar.name
        copied.parent.mkdir(exist_ok=True)
        if jar.is_dir():
            (copied / "inside").mkdir(parents=True)
        else:
            copied.touch()
    remove_unused(tmp_path)
    links = spark_home(tmp_path / "clone") / "jars"
    assert {path.name for path in (tmp_path / "jars").iterdir()} == {path.name for path in links.iterdir()}


def test_it_is_made_once_for_each_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = spark_home(tmp_path)
    made = home.stat().st_mtime_ns
    assert spark_home(tmp_path) == home
    assert home.stat().st_mtime_ns == made
    monkeypatch.setattr(module, "version", lambda _: "5.0.0")
    assert spark_home(tmp_path) != home
    assert len(list(tmp_path.iterdir())) == 2


def test_two_commands_that_make_it_at_once_have_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = spark_home(tmp_path / "other")
    rename = Path.rename

    def other_is_quicker(partial: Path, target: Path) -> Path:
        rename(others, target)
        return rename(partial, target)

    monkeypatch.setattr(Path, "rename", other_is_quicker)
    home = spark_home(tmp_path)
    assert [path for path in tmp_path.iterdir() if path.name != "other"] == [home]
    assert (home / "jars").is_dir()
