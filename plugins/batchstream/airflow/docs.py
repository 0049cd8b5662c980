"""What each task shows in the Airflow UI."""

DOC = {
    "dag": (
        "Reloads a whole dataset: source file → Kafka → Spark → landing → checks → one publish. Readers see the last verified "
        "load, whole, at every moment; a run that fails changes nothing. The counts of every stage are in "
        "`batchstream.loads`, rejected records in `batchstream.quarantine`."
    ),
    "open_load": (
        "Checks the contract and the header of the source, makes missing tables, and opens a row in the ledger. Waits while "
        "another run of this dataset is working; marks one that was killed as failed. Returns the `load_id`."
    ),
    "create_topic": (
        "Makes the topic as the contract says, or fails if the one that exists has other partitions, replication or retention. "
        "Notes the end offsets: this load starts there."
    ),
    "produce_batches": (
        "Reads and checks the source, and sends it as JSON arrays of at most 100 records. Green only when the broker has "
        "acknowledged every batch. A retry sends everything again; duplicates are harmless."
    ),
    "consume_stream": (
        "Spark reads the topic from where this load began (trigger availableNow), checks every record, lands good ones and "
        "quarantines bad ones. A retry goes on from the checkpoint."
    ),
    "verify_row_count": (
        "Compares the counts of source, broker, Spark, landing and quarantine, and names the stage at which one changed."
    ),
    "verify_columns": "Measures the contract's quality rules over the landing.",
    "publish_load": (
        "One transaction makes the target equal to the landing: inserts what is new, updates what differs, deletes what is gone. "
        "Waits at most 10 s for somebody else's lock."
    ),
    "verify_published": "Counts what readers see now. Emits the asset event, so the event means *verified*.",
    "reload_published": (
        "Runs nothing. A run is green only if this and the closing are, and if the ledger has its load as published: no mark by "
        "hand hides that nothing was."
    ),
    "close_load": (
        "Closes the row in the ledger whatever happened, with the reason if the load failed. "
        "Fails if it did, or if a task failed."
    ),
}
