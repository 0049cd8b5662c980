"""The files of the ledger's migrations."""

from batchstream.postgres.migrations import MIGRATIONS_FOLDER


def test_each_migration_has_a_number_of_its_own_and_none_is_missing() -> None:
    """Of two with one number only one would be applied."""
    numbers = sorted(int(path.name.partition("_")[0]) for path in MIGRATIONS_FOLDER.iterdir())
    assert numbers == list(range(1, len(numbers) + 1))
