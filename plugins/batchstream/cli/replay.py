"""``batchstream replay``: lands what a load had rejected, after the cause was mended, and publishes the load."""

from batchstream.cli.output import say
from batchstream.contract import load_contract
from batchstream.paths import contract_paths
from batchstream.postgres import connection, setup
from batchstream.postgres.replay import replay_load
from batchstream.services import ports
from batchstream.services.installation import Installation


def replay(installation: Installation, load_id: int) -> int:
    """Replay the quarantine of a load."""
    installation.up()
    settings = connection.PostgresSettings(
        connection_id="batchstream_postgres_owner",
        host=ports.LOOPBACK,
        port=installation.ports["postgres"],
        user=setup.OWNER,
        password=installation.secrets[setup.OWNER],
        dbname=setup.DATABASE,
    )
    contracts = {contract.name: contract for contract in map(load_contract, contract_paths())}
    with connection.connect(settings, application_name="batchstream replay") as session:
        say(replay_load(session, contracts, load_id))
    return 0
