"""The use cases of a load, in their order: open, topic, send, (land: ``batchstream.spark``), verify, publish, close; and replay.

Tasks of Airflow, the command line and tests call the same functions.
"""
