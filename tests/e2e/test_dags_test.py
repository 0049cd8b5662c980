"""`airflow dags test`: the whole DAG, once and then again, with real Kafka, Spark and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import yaml
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from batchstream.contract import Contract
from batchstream.local.environment import ledger_name
from batchstream.local.installation import Installation
from batchstream.paths import CONTRACTS_VARIABLE
from tests.conftest import HOUSING, ORDERS
from tests.support.airflow import airflow

# From the data set's own description, to 6 decimals: an independent source.
PUBLISHED_MEANS = {
    "crim": "3.613524",
    "zn": "11.363636",
    "indus": "11.136779",
    "chas": "0.069170",
    "nox": "0.554695",
    "rm": "6.284634",
    "age": "68.574901",
    "dis": "3.795043",
    "rad": "9.549407",
    "tax": "408.237154",
    "ptratio": "18.455534",
    "b": "356.674032",
    "lstat": "12.653063",
    "medv": "22.532806",
}


@pytest.fixture(scope="module")
def first_run(installation: Installation) -> str:
    done = airflow(installation, "dags", "test", "housing_pipeline")
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def test_housing_holds_506_rows_with_the_published_means(first_run: str, admin: psycopg.Connection) -> None:
    means = ", ".join(f"avg({name})::numeric(20, 6)::text" for name in PUBLISHED_MEANS)
    row = admin.execute(f"SELECT count(*), {means} FROM housing").fetchone()
    assert row == (506, *PUBLISHED_MEANS.values())


def test_the_topic_has_six_arrays_and_what_the_contract_says(
    first_run: str, installation: Installation, housing: Contract
) -> None:
    kafka = installation.kafka.client_settings
    consumer = Consumer({**kafka, "group.id": "test", "enable.auto.commit": False})
    consumer.assign([TopicPartition("housing-data", 0, 0)])
    messages = consumer.consume(6, timeout=20)
    consumer.close()
    sizes = [message.value().count(b'{"') for message in messages]
    assert sizes == [100, 100, 100, 100, 100, 6]
    lines = housing.source.path.read_text().splitlines()[1:]
    first = dict(zip((column.name for column in housing.columns), lines[0].split(), strict=True))
    assert messages[0].value().startswith(("[{" + ",".join(f'"{k}":{v}' for k, v in first.items()) + "},").encode())
    resource = ConfigResource(ResourceType.TOPIC, "housing-data")
    admin = AdminClient(dict(kafka))
    config = admin.describe_configs([resource])[resource].result()
    assert config["retention.ms"].value == str(7 * 24 * 60 * 60 * 1000)


def test_the_table_has_the_names_and_types_of_the_mission(first_run: str, admin: psycopg.Connection) -> None:
    columns = admin.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'housing' ORDER BY ordinal_position"
    ).fetchall()
    integers = ("chas", "rad", "tax")
    assert columns == [
        ("id", "bigint"),
        *((name, "integer" if name in integers else "double precision") for name in PUBLISHED_MEANS),
        ("created_at", "timestamp with time zone"),
        ("updated_at", "timestamp with time zone"),
        ("load_id", "bigint"),
    ]
    indexes = admin.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'housing'").fetchall()
    assert sorted(index.rpartition("(")[2].rstrip(")") for (index,) in indexes) == ["created_at", "id", "medv"]


def test_the_ledger_says_what_each_stage_did(first_run: str, installation: Installation, admin: psycopg.Connection) -> None:
    row = admin.execute(
        "SELECT state, source_records, produced_batches, produced_records, consumed_batches, consumed_records, landed_records, "
        "quarantined_records, inserted_rows, updated_rows, deleted_rows, published_rows, reason, closed_at IS NOT NULL "
        "FROM batchstream.loads WHERE dataset = 'housing' ORDER BY load_id LIMIT 1"
    ).fetchone()
    assert row == ("published", 506, 6, 506, 6, 506, 506, 0, 506, 0, 0, 506, None, True)
    whose = admin.execute(
        "SELECT dag_id, installation, run_kind FROM batchstream.loads WHERE dataset = 'housing' ORDER BY load_id LIMIT 1"
    ).fetchone()
    assert whose == ("housing_pipeline", ledger_name(installation.state), "test")


def test_the_consumer_logs_a_line_for_each_micro_batch(first_run: str) -> None:
    assert "micro-batch epoch=0 messages=6 records=506 landed=506 rejected=0" in first_run


def _leave_loads(admin: psycopg.Connection) -> dict[str, str]:
    """Leave loads of scheduled runs of which Airflow knows the end, or nothing; returns why each is given up, by its run."""
    first = "SELECT run_id FROM batchstream.loads WHERE dataset = 'housing' ORDER BY load_id LIMIT 1"
    (ended,) = admin.execute(first).fetchone() or ("",)
    for run_id in (ended, "of a deleted record"):
        admin.execute(
            "INSERT INTO batchstream.loads (load_id, dataset, dag_id, run_id, installation, run_kind, state, contract_version, "
            "source_path, topic) OVERRIDING SYSTEM VALUE SELECT (SELECT max(load_id) + 1 FROM batchstream.loads), dataset, "
            "dag_id, %s, installation, 'scheduler', 'produced', contract_version, source_path, topic FROM batchstream.loads "
            f"WHERE run_id = ({first}) LIMIT 1",
            [run_id],
        )
    states = {ended: "success", "of a deleted record": "deleted"}
    return {run: f"run {run} has ended as {state} and left the load produced" for run, state in states.items()}


def test_a_second_run_leaves_506_rows_and_writes_none_and_asks_airflow_of_others(
    first_run: str, installation: Installation, admin: psycopg.Connection
) -> None:
    left = _leave_loads(admin)
    done = airflow(installation, "dags", "test", "housing_pipeline")
    assert done.returncode == 0, done.stdout[-5000:]
    assert admin.execute("SELECT count(*), count(DISTINCT load_id) FROM housing").fetchone() == (506, 1)
    row = admin.execute(
        "SELECT inserted_rows, updated_rows, deleted_rows FROM batchstream.loads WHERE dataset = 'housing' "
        "ORDER BY load_id DESC LIMIT 1"
    ).fetchone()
    assert row == (0, 0, 0)
    # Known by their ends, and not by their silence.
    given_up = "SELECT run_id, reason FROM batchstream.loads WHERE dataset = 'housing' AND state = 'failed' AND run_id = ANY(%s)"
    assert dict(admin.execute(given_up, [list(left)]).fetchall()) == left


def test_a_broken_source_gives_exit_status_1_and_keeps_the_last_load(
    first_run: str, installation: Installation, admin: psycopg.Connection, dataset: Path
) -> None:
    contract, source = dataset / "dags" / "contracts" / HOUSING.name, dataset / "data" / "housing.csv"
    source.write_text(source.read_text().replace(" 0.02731", " 0.0273x", 1))
    done = airflow(installation, "dags", "test", "housing_pipeline", BATCHSTREAM_CONTRACTS=str(contract.parent))
    assert done.returncode == 1
    sentence = f"{source}: line 3, column 'crim': expected double precision NOT NULL, got '0.0273x'"
    assert sentence in done.stdout
    row = admin.execute("SELECT state, reason FROM batchstream.loads ORDER BY load_id DESC LIMIT 1").fetchone()
    assert row is not None
    assert row[0] == "failed"
    assert sentence in row[1]
    assert admin.execute("SELECT count(*) FROM housing").fetchone() == (506,)


@pytest.mark.parametrize(
    ("connection", "reason"),
    [
        ({}, "orders was not published: no load of this run is in the ledger"),
        ({"AIRFLOW_CONN_BATCHSTREAM_POSTGRES": "postgres://a:b@127.0.0.1:1/c"}, "the ledger can't be asked: "),
    ],
)
def test_tasks_that_are_marked_instead_of_run_give_exit_status_1(
    installation: Installation, connection: dict[str, str], reason: str
) -> None:
    command = ("dags", "test", "orders_pipeline", "2026-01-30", "--mark-success-pattern", ".*")
    done = airflow(installation, *command, **{CONTRACTS_VARIABLE: str(ORDERS.parent), **connection})
    assert done.returncode == 1, done.stdout[-5000:]
    assert reason in done.stdout


def test_a_dataset_of_another_shape_runs_by_its_contract_alone(
    installation: Installation, admin: psycopg.Connection, orders: Contract
) -> None:
    for _ in range(2):
        done = airflow(installation, "dags", "test", "orders_pipeline", BATCHSTREAM_CONTRACTS=str(ORDERS.parent))
        assert done.returncode == 0, done.stdout[-5000:]
    row = admin.execute(
        "SELECT inserted_rows, updated_rows, deleted_rows, published_rows, source_records FROM batchstream.loads "
        "WHERE dataset = 'orders' ORDER BY load_id DESC LIMIT 1"
    ).fetchone()
    assert row is not None
    assert row[:3] == (0, 0, 0)
    assert row[3] == row[4] > 0
    metadata = AdminClient(dict(installation.kafka.client_settings)).list_topics(orders.topic.name)
    assert len(metadata.topics[orders.topic.name].partitions) == 3


@pytest.mark.nightly
def test_a_run_waits_for_its_source(installation: Installation, admin: psycopg.Connection, tmp_path: Path) -> None:
    contracts, source = tmp_path / "dags" / "contracts", tmp_path / "day-2026-01-31.csv"
    contracts.mkdir(parents=True)
    settings = {"sourcePath": "day-{{ ds }}.csv", "sourceWaitMinutes": 5, "schedule": None}
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "version": "1.0.0",
        "customProperties": [{"property": name, "value": value} for name, value in settings.items()],
        "schema": [{"name": "awaited", "properties": [{"name": "n", "physicalType": "integer"}]}],
    }
    (contracts / "awaited.odcs.yaml").write_text(yaml.safe_dump(document))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(
            airflow, installation, "dags", "test", "awaited_pipeline", "2026-01-31", **{CONTRACTS_VARIABLE: str(contracts)}
        )
        with suppress(FutureTimeoutError):
            running.result(30)
        assert not running.done()
        source.write_text("n\n1\n2\n")
        done = running.result()
    assert done.returncode == 0, done.stdout[-5000:]
    assert "waiting: " in done.stdout
    assert admin.execute("SELECT count(*) FROM awaited").fetchone() == (2,)
