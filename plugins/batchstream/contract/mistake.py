"""What is wrong with a contract: the field, the rule, what was found, what to write."""

MAX_BEGIN, MAX_END = 600, 300
"""Characters of a message; what was found may be as long as the contract."""


class MistakeError(ValueError):
    """A field of the contract that breaks a rule."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")


def clipped(message: str) -> str:
    """A message whose middle is left out if it is too long to be read: field and rule stand first, what to write last."""
    if len(message) <= MAX_BEGIN + MAX_END:
        return message
    return f"{message[:MAX_BEGIN]} … {message[-MAX_END:]}"
