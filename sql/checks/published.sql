-- What readers see now is what the ledger says was published. One row, two values.
SELECT
    l.state = 'published' AND n.rows = l.published_rows AND ({expected}::bigint IS NULL OR n.rows = {expected}::bigint) AS passed,
    format('load %s of %s is %s and published %s rows; %s has %s, the contract expects %s',
        l.load_id, l.dataset, l.state, coalesce(l.published_rows::text, 'no'), {target_name}, n.rows,
        coalesce({expected}::text, 'no fixed number')) AS message
FROM batchstream.loads AS l CROSS JOIN (SELECT count(*) AS rows FROM {target}) AS n
WHERE l.load_id = {load_id}
