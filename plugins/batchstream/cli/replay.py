"""``batchstream replay``: lands what a load had rejected, after the cause was mended, and publishes the load."""

from collections.abc import Sequence

from batchstream.contract import Contract
from batchstream.load.replay import replay_load
from batchstream.local.console import say
from batchstream.local.installation import Installation
from batchstream.records.messages import Computed


def replay(installation: Installation, load_id: int) -> int:
    """Replay the quarantine of a load."""
    installation.up()

    def compute(contract: Contract, elements: Sequence[bytes]) -> Sequence[Computed]:
        # Only here: most contracts have nothing for Spark to compute, and it takes seconds to start.
        from batchstream.spark.local_session import compute_here

        say(f"starting Spark, which computes columns of {contract.name} …")
        return compute_here(installation.environment(), contract, elements)

    say(replay_load(installation.engines(), load_id, compute))
    return 0
