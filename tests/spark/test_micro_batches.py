"""A load in several micro-batches, and Spark's notes of where each one ends."""

from pathlib import Path

import pytest

from batchstream.errors import SparkError
from batchstream.spark import load, stream
from batchstream.spark.checkpoints import noted_offsets
from tests.support.pipeline import Pipeline


@pytest.mark.parametrize("most", [load.DRIVER_MESSAGES, -1], ids=["driver", "executors"])
def test_several_micro_batches_land_each_message_once(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(load, "DRIVER_MESSAGES", most)
    monkeypatch.setattr(stream, "MAX_MESSAGES_PER_TRIGGER", 2)
    # Of an earlier load: offsets of this one begin above 0.
    pipeline.reload()
    load_id = pipeline.produced()
    landed = pipeline.consume(load_id)
    assert (landed.messages, landed.landed, landed.duplicates, landed.other_loads) == (6, 506, 0, 0)
    spark = pipeline.spark.start()
    folder = pipeline.checkpoint(load_id)
    assert [noted_offsets(spark, folder, epoch) for epoch in range(3)] == [{0: 8}, {0: 10}, {0: 12}]
    with pytest.raises(SparkError, match=rf"^checkpoint {folder}/offsets/3: .*; start a new run"):
        noted_offsets(spark, folder, 3)
    pipeline.finish(load_id)


@pytest.mark.parametrize(
    "note", ["", "v1\n{}\n", 'v2\n{}\n{"a":{"0":1}}', "v1\n{}\n-", 'v1\n{}\n{"a":{"0":1}}\n{"b":{"0":1}}', "v1\n{}\n{}"]
)
def test_a_note_of_another_form_is_refused(pipeline: Pipeline, tmp_path: Path, note: str) -> None:
    (tmp_path / "offsets").mkdir()
    (tmp_path / "offsets" / "0").write_text(note)
    with pytest.raises(SparkError, match=rf"^checkpoint {tmp_path}/offsets/0: .*; start a new run"):
        noted_offsets(pipeline.spark.start(), str(tmp_path), 0)
