-- The quality rules of the contract, measured over the landing. One row, two values: the verdict and the broken rules.
-- A broken rule that stops nothing, as its severity is a warning, changes no verdict and is told after all else.
WITH measured AS (
    {measurements}
)
SELECT
    coalesce(bool_and(passed OR NOT stops), true) AS passed,
    coalesce(string_agg(format('%s: got %s', rule, coalesce(value, 'NULL')), '; ' ORDER BY number) FILTER (WHERE NOT passed AND stops),
        'every quality rule of ' || {dataset} || ' ' || CASE WHEN bool_and(passed) IS FALSE THEN 'that stops a load ' ELSE '' END || 'holds'
            || coalesce('; not measured, as nothing was published yet: ' || string_agg(rule, ', ' ORDER BY number) FILTER (WHERE NOT is_measured), '')
    ) || coalesce('; warning: '
        || string_agg(format('%s: got %s', rule, coalesce(value, 'NULL')), '; ' ORDER BY number) FILTER (WHERE NOT passed AND NOT stops), ''
    ) AS message
FROM (SELECT number, rule, value, coalesce(passed, false) AS passed, is_measured, stops FROM measured) AS verdicts
