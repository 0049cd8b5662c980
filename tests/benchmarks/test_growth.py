"""The steps at which the rate of a growing load is measured."""

from benchmarks.growth import steps


def test_each_step_is_taken_once_at_the_first_look_that_has_passed_it() -> None:
    seen = [(0.0, 0), (1.0, 900), (2.0, 1100), (3.0, 1900), (4.0, 2000), (5.0, 4200), (6.0, 4900), (7.0, 4900)]
    assert steps(seen, 1000) == [(2.0, 1100), (4.0, 2000), (5.0, 4200)]


def test_a_load_of_less_than_a_step_has_none() -> None:
    assert steps([(0.0, 0), (1.0, 999)], 1000) == []
