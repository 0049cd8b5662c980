-- The quality rules of the contract, measured over the landing. One row, two values: the verdict and the broken rules.
WITH measured AS (
    {measurements}
)
SELECT
    coalesce(bool_and(passed), true) AS passed,
    coalesce(string_agg(format('%s: got %s', rule, coalesce(value, 'NULL')), '; ' ORDER BY number) FILTER (WHERE passed IS NOT TRUE),
        'every quality rule of ' || {dataset} || ' holds'
            || coalesce('; not measured, as nothing was published yet: ' || string_agg(rule, ', ' ORDER BY number) FILTER (WHERE NOT is_measured), '')
    ) AS message
FROM (SELECT number, rule, value, coalesce(passed, false) AS passed, is_measured FROM measured) AS verdicts
