"""Where ``batchstream`` begins: before anything is imported that takes time."""

import signal


def main() -> int:
    """Run one command; Ctrl-C ends it without a traceback from the first moment."""
    # Python would answer with the line of the import at which it was stopped. Where Ctrl-C is ignored it stays so.
    before = signal.getsignal(signal.SIGINT)
    if before == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from batchstream.cli.main import main

    signal.signal(signal.SIGINT, before)
    return main()
