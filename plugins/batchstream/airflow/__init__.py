"""The tasks of a reload as Airflow's operators, and how they are put together: the only room that imports Airflow.

What DAG files import: `make_dags` and `require_contracts` for a folder of contracts, `reload_group` for one
contract inside of a DAG, `Reload` for its steps one by one.
"""

from batchstream.airflow.contracts import make_dags, require_contracts
from batchstream.airflow.pipeline import reload_group
from batchstream.airflow.steps import Reload

__all__ = ["Reload", "make_dags", "reload_group", "require_contracts"]
