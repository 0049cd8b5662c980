"""The folders of an installation, which nobody else may look into, and the files of settings in them."""

import json
from pathlib import Path

from batchstream.local.environment import UI_USER, log_settings
from batchstream.local.secrets import write_private

SPARK_LOG_SETTINGS = """\
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {log_file}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d] %p %c: %m%n
"""


def make_folders(state: Path, ui_password: str) -> None:
    """Make what services and commands write into.

    Args:
        state: Folder for everything that is generated.
        ui_password: Of the web interface's user.
    """
    state.mkdir(parents=True, exist_ok=True)
    # As root, PostgreSQL's account has to pass here; what is inside is private, folder by folder.
    state.chmod(0o711)
    for name in ("logs", "airflow", "spark", "checkpoints", "jars"):
        (state / name).mkdir(exist_ok=True)
        (state / name).chmod(0o700)
    log_file = state / "logs" / "spark.log"
    # To Java a file of properties is ISO 8859-1; what JSON escapes in a string, it takes too.
    log_settings(state).write_text(SPARK_LOG_SETTINGS.format(log_file=json.dumps(str(log_file))[1:-1]))
    write_private(state / "airflow" / "ui_passwords.json", json.dumps({UI_USER: ui_password}))
