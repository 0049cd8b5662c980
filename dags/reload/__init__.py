"""The tasks of a reload, and how they are put together."""
