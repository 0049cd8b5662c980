"""Writes documents as YAML."""

from typing import Any

import yaml


class _Quoting(yaml.SafeDumper):
    """Quotes each text: PyYAML leaves out what only YAML 1.1 does without, so that `08` would be a number to other readers."""


_Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def as_yaml(document: Any) -> str:
    """A document whose texts may be any."""
    return yaml.dump(document, Dumper=_Quoting, sort_keys=False)
