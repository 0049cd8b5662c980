"""``batchstream replay``: lands what a load had rejected, after the cause was mended, and publishes the load."""

from batchstream.load.replay import replay_load
from batchstream.local.console import say
from batchstream.local.installation import Installation


def replay(installation: Installation, load_id: int) -> int:
    """Replay the quarantine of a load."""
    installation.up()
    say(replay_load(installation.engines(), load_id))
    return 0
