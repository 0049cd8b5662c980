"""What is wrong with a contract: the field, the rule, what was found, what to write."""

from typing import Any

MAX_SHOWN_CHARACTERS = 200


class MistakeError(ValueError):
    """A field of the contract that breaks a rule."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")


def shown(value: Any) -> str:
    """A value as a message may show it."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}… ({len(text)} characters)"
