"""The engines of this Airflow's connections, and its way to sources elsewhere: what the use cases of a load take."""

from typing import TYPE_CHECKING

from batchstream.airflow.connections import POSTGRES, POSTGRES_OWNER, kafka_settings, postgres_settings

if TYPE_CHECKING:
    from batchstream.load.engines import Engines


def engines() -> "Engines":
    """What the use cases of a load take; read when a task runs."""
    from batchstream.airflow.places import opened_place
    from batchstream.load.engines import Engines

    return Engines(kafka_settings(), postgres_settings(POSTGRES), postgres_settings(POSTGRES_OWNER), opened_place)
