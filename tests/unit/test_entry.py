"""Ctrl-C while the command still reads its modules."""

import signal
import subprocess
import sys

ENTRY = "import sys; from batchstream.cli.entry import main; sys.exit(main())"


def test_ctrl_c_at_the_very_start_gives_no_traceback() -> None:
    command = [sys.executable, "-X", "importtime", "-c", ENTRY, "contract", "check"]
    said = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        for line in process.stderr or ():
            said.append(line)
            # The first of a second's worth of modules.
            if line.endswith(" argparse\n"):
                process.send_signal(signal.SIGINT)
    assert process.returncode == -signal.SIGINT
    assert "Traceback" not in "".join(said)
    assert "batchstream.local.installation" not in "".join(said)
