-- Compares what each stage says of itself, in the order of the way, and names the stage at which a number changed.
-- One row, two values: the verdict, and a sentence that is shown when the verdict is false.
WITH inbox AS (
    SELECT count(*) AS batches, coalesce(sum(records), 0) AS records, coalesce(sum(landed), 0) AS landed,
        coalesce(sum(filtered), 0) AS filtered
    FROM batchstream.batches
    WHERE load_id = {load_id}
),
rejected AS (
    SELECT
        -- By the consumer.
        count(*) FILTER (WHERE q.source_path IS NULL AND q.record_id IS NOT NULL AND q.replayed_at IS NULL) AS records,
        count(*) FILTER (WHERE q.source_path IS NULL AND q.replayed_at IS NOT NULL AND NOT q.filtered) AS replayed,
        count(*) FILTER (WHERE q.source_path IS NULL AND q.replayed_at IS NOT NULL AND q.filtered) AS filtered,
        -- By the producer, which doesn't keep all of very many.
        count(*) FILTER (WHERE q.source_path IS NOT NULL AND q.replayed_at IS NOT NULL) AS replayed_of_source,
        count(*) FILTER (WHERE q.source_path IS NOT NULL AND q.replayed_at IS NOT NULL AND NOT q.filtered) AS landed_of_source
    FROM batchstream.quarantine AS q JOIN batchstream.loads AS l USING (load_id)
    WHERE q.load_id = {load_id} AND (q.source_path IS NULL OR q.attempt = l.attempt)
),
foreign_messages AS (
    -- Rejected whole: what they hold is not known, so no allowance for records covers them.
    SELECT coalesce(sum(upper(offset_range) - lower(offset_range)), 0)::bigint AS messages
    FROM batchstream.rejected_messages AS m CROSS JOIN unnest(m.offsets) AS offset_range
    WHERE m.load_id = {load_id}
),
landing AS (
    -- What count(DISTINCT record_id) says, without sorting every id in one process: a bit an id, 64 ids a group, on all cores.
    SELECT
        coalesce(sum(records), 0) AS records, coalesce(sum(distinct_ids), 0) AS distinct_ids, max(last_id) AS last_id
    FROM (
        SELECT
            count(*) AS records, max({record_id}) AS last_id,
            bit_count(bit_or(1::bigint << ({record_id} & 63)::int)::bit(64)) AS distinct_ids
        FROM {landing}
        GROUP BY {record_id} >> 6
    ) AS by_64_ids
),
first_rejected AS (
    SELECT
        q.reason, left(q.raw, 200) AS raw,
        CASE WHEN q.source_path IS NULL
            THEN format('partition %s offset %s position %s', q.partition, q."offset", coalesce(q.position::text, 'none (the whole message)'))
            ELSE format('%s line %s', q.source_path, q.line) END AS place
    FROM batchstream.quarantine AS q JOIN batchstream.loads AS l USING (load_id)
    WHERE q.load_id = {load_id} AND q.replayed_at IS NULL AND (q.source_path IS NULL OR q.attempt = l.attempt)
    -- Messages first: they are what no allowance covers.
    ORDER BY q.source_path IS NULL AND q.record_id IS NULL DESC, q.line, q.partition, q."offset", q.position NULLS FIRST
    LIMIT 1
),
fault AS (
    SELECT CASE
        WHEN ledger.state NOT IN ('landed', 'verified', 'published')
            THEN format('is %s, not landed: %s', ledger.state, coalesce(ledger.reason, 'consume_stream has not finished'))
        WHEN {expected}::bigint IS NOT NULL AND ledger.source_records IS DISTINCT FROM {expected}::bigint
            THEN format('the contract expects %s records, the source has %s', {expected}::bigint, ledger.source_records)
        WHEN ledger.produced_records IS DISTINCT FROM ledger.source_records - ledger.source_rejected_records
            THEN format('the source has %s records, %s of them bad, the broker acknowledged %s: lost in produce_batches',
                ledger.source_records, ledger.source_rejected_records, ledger.produced_records)
        WHEN foreign_messages.messages > 0
            THEN format('%s messages of the topic were rejected whole, which no allowance covers. The first, at %s: %s; raw text: %s. '
                'Find who sent it, then start a new run',
                foreign_messages.messages, first_rejected.place, first_rejected.reason, first_rejected.raw)
        WHEN rejected.records + ledger.source_rejected_records - rejected.replayed_of_source > {rejected_allowed}
            THEN format('%s rejected, the contract allows %s. The first, at %s: %s; raw text: %s. '
                'Mend the cause, then "batchstream replay %s" or a new run',
                rejected.records + ledger.source_rejected_records - rejected.replayed_of_source, {rejected_allowed},
                first_rejected.place, first_rejected.reason, first_rejected.raw, ledger.load_id)
        WHEN inbox.batches IS DISTINCT FROM ledger.produced_batches
            THEN format('the broker acknowledged %s batches, Spark read %s: lost between the topic and Spark',
                ledger.produced_batches, inbox.batches)
        WHEN inbox.records IS DISTINCT FROM ledger.produced_records
            THEN format('the broker acknowledged %s records, Spark read %s: lost between the topic and Spark',
                ledger.produced_records, inbox.records)
        WHEN ledger.consumed_records IS DISTINCT FROM inbox.records
            THEN format('Spark reported %s records, the inbox has %s: batches arrived after the load was landed',
                ledger.consumed_records, inbox.records)
        WHEN landing.records IS DISTINCT FROM inbox.landed + rejected.replayed + rejected.landed_of_source
            THEN format('Spark landed %s records, the landing has %s: lost in the landing table',
                inbox.landed + rejected.replayed + rejected.landed_of_source, landing.records)
        WHEN landing.distinct_ids <> landing.records
            THEN format('the landing has %s records but only %s distinct record ids', landing.records, landing.distinct_ids)
        WHEN landing.records - rejected.landed_of_source + inbox.filtered + rejected.filtered + rejected.records
            IS DISTINCT FROM ledger.produced_records
            THEN format('%s records produced, %s landed, %s filtered out, %s quarantined: they do not add up',
                ledger.produced_records, landing.records - rejected.landed_of_source, inbox.filtered + rejected.filtered,
                rejected.records)
        WHEN landing.last_id > ledger.source_records
            THEN format('record id %s has landed, the source ends at %s', landing.last_id, ledger.source_records)
    END AS text
    FROM batchstream.loads AS ledger CROSS JOIN inbox CROSS JOIN rejected CROSS JOIN foreign_messages CROSS JOIN landing LEFT JOIN first_rejected ON true
    WHERE ledger.load_id = {load_id}
)
SELECT
    count(*) = 1 AND bool_and(text IS NULL) AS passed,
    'load {load_number} of ' || {dataset} || ': ' || coalesce(min(text), CASE count(*) WHEN 0 THEN 'not in the ledger' ELSE 'all counts agree' END) AS message
FROM fault
