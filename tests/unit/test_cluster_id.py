"""Ids of new Kafka clusters, which the formatting tool takes as the value of an option."""

from batchstream.local.kafka import new_cluster_id


def test_no_id_starts_as_an_option_would() -> None:
    # One in 64 random ids starts with a dash.
    made = {new_cluster_id() for _ in range(2000)}
    assert len(made) == 2000
    assert not [one for one in made if one.startswith("-")]
    assert {len(one) for one in made} == {22}
