"""What Spark forks its Python workers from (``spark.python.daemon.module``): pyspark's own, out of the installed package."""

from batchstream.spark.quick_start.installed_pyspark import prefer_installed_pyspark

prefer_installed_pyspark()

from pyspark.daemon import manager

if __name__ == "__main__":
    # Imported once for all workers, before they are forked.
    import batchstream.spark.micro_batches  # noqa: F401

    manager()
