"""``batchstream replay``: lands what a load had rejected, after the cause was mended, and publishes the load."""

from batchstream.cli.output import say
from batchstream.load.replay import replay_load
from batchstream.services.installation import Installation


def replay(installation: Installation, load_id: int) -> int:
    """Replay the quarantine of a load."""
    installation.up()
    say(replay_load(installation.engines(), load_id))
    return 0
