"""A source in an object store, by Airflow's own command and an Airflow connection."""

import json
from pathlib import Path

import psycopg
import pytest

from batchstream.local.installation import Installation
from tests.support.airflow import airflow
from tests.support.s3_files import SECRET, s3_files
from tests.support.written import as_yaml
from tests.unit.building import write_contract


@pytest.mark.nightly
def test_a_source_in_an_object_store_is_reloaded(installation: Installation, admin: psycopg.Connection, tmp_path: Path) -> None:
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "version": "1.0.0",
        "servers": [{"server": "lake", "type": "s3", "location": "s3://lake/day/*.csv", "format": "csv"}],
        "customProperties": [{"property": "sourceConnection", "value": "lake"}],
        "schema": [{"name": "from_lake", "properties": [{"name": "t", "physicalType": "text", "required": True}]}],
    }
    contracts = str(write_contract(tmp_path, as_yaml(document)).parent)
    with s3_files({"day/a.csv": b"t\n" + b"a\n" * 250, "day/b.csv": b"t\nb\n"}) as address:
        connection = {
            "conn_type": "aws",
            "login": "anna",
            "password": SECRET,
            "extra": {"endpoint_url": address, "region_name": "us-east-1"},
        }
        arguments = (installation, "dags", "test", "from_lake_pipeline")
        done = airflow(*arguments, BATCHSTREAM_CONTRACTS=contracts, AIRFLOW_CONN_LAKE=json.dumps(connection))
        assert done.returncode == 0, done.stdout[-5000:]
        assert SECRET not in done.stdout
        assert admin.execute("SELECT count(*) FROM from_lake").fetchone() == (251,)
        noted = admin.execute(
            "SELECT path, records FROM batchstream.source_files JOIN batchstream.loads USING (load_id) "
            "WHERE dataset = 'from_lake' ORDER BY path"
        ).fetchall()
        assert noted == [("s3://lake/day/a.csv", 250), ("s3://lake/day/b.csv", 1)]
        done = airflow(*arguments, BATCHSTREAM_CONTRACTS=contracts)
    assert done.returncode == 1
    assert "s3://lake/day/*.csv: there is no connection 'lake'; make it in Airflow, or mend sourceConnection" in done.stdout
