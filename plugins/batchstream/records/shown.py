"""How messages show what came from outside: short, and with every character that can't be seen named."""

MAX_SHOWN_CHARACTERS = 80
MAX_SHOWN_NAMES = 10


def visible(text: str) -> str:
    """The text, with ``<U+200B>`` in the place of a character that has no shape of its own; a blank stays a blank."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else f"<U+{ord(one):04X}>" for one in text)


def shorten(text: str, characters: int = MAX_SHOWN_CHARACTERS) -> str:
    """The beginning of a text, as a message may show it."""
    if len(text) <= characters:
        return visible(text)
    return f"{visible(text[:characters])}… ({len(text)} characters)"


def listed(names: list[str]) -> str:
    """Names as a message may show them: each in quotes, at most ten."""
    more = len(names) - MAX_SHOWN_NAMES
    shown = ", ".join(f"'{shorten(name)}'" for name in names[:MAX_SHOWN_NAMES])
    return f"{shown} and {more} more" if more > 0 else shown
