"""What is wrong with a contract: the field, the rule, what was found, what to write."""

MAX_BEGIN, MAX_END = 600, 300
"""Characters of a message; what was found may be as long as the contract."""

Place = tuple[str | int, ...]
"""Where a value stands: keys and numbers, from the top of the document."""


class MistakeError(ValueError):
    """A field of the contract that breaks a rule.

    Attributes:
        rule: The message without the field.
        at: Where the field stands, if that is known better than by the one who notes the mistake.
        line: The line, of what is no field yet.
    """

    def __init__(self, field: str, rule: str, at: Place = (), line: int | None = None) -> None:
        super().__init__(f"{field}: {rule}")
        self.rule = rule
        self.at = at
        self.line = line


def said(place: Place) -> str:
    """A place as messages name it, such as ``schema[0].name``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def clipped(message: str) -> str:
    """A message whose middle is left out if it is too long to be read: field and rule stand first, what to write last."""
    if len(message) <= MAX_BEGIN + MAX_END:
        return message
    return f"{message[:MAX_BEGIN]} … {message[-MAX_END:]}"
