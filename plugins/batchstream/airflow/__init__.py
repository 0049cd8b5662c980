"""The tasks of a reload as Airflow's operators, and how they are put together: the only room that imports Airflow."""
