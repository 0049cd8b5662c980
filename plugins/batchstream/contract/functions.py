"""The functions of PostgreSQL that a rule may call: those that compute a value of their arguments, or give rows of them.

None is volatile: what they give depends on nothing but the rows and the time of the transaction, and they change nothing. A
list of those that do harm could never be complete: extensions and users add functions.
"""

_ALLOWED = """
any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every grouping json_agg
json_object_agg jsonb_agg jsonb_object_agg max min mode percentile_cont percentile_disc range_agg range_intersect_agg regr_avgx
regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop stddev_samp string_agg
sum var_pop var_samp variance

cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number

cast coalesce greatest least num_nonnulls num_nulls nullif pg_input_is_valid pg_typeof

abs acos asin atan atan2 cbrt ceil ceiling cos cosh cot degrees div exp factorial floor gcd lcm ln log log10 min_scale mod pi
power radians round scale sign sin sinh sqrt tan tanh trim_scale trunc width_bucket

ascii bit_length btrim char_length character_length chr concat concat_ws convert_from convert_to decode encode format initcap
is_normalized left length lower lpad ltrim md5 normalize octet_length overlay position regexp_count regexp_instr regexp_like
regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr repeat replace reverse
right rpad rtrim sha224 sha256 sha384 sha512 split_part starts_with string_to_array string_to_table strpos substr substring
to_hex translate trim upper

age date_bin date_part date_trunc extract isfinite justify_days justify_hours justify_interval make_date make_interval
make_time make_timestamp make_timestamptz now statement_timestamp to_char to_date to_number to_timestamp
transaction_timestamp

array_append array_cat array_length array_lower array_ndims array_position array_positions array_prepend array_remove
array_replace array_to_string array_upper cardinality generate_series generate_subscripts trim_array unnest

json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each json_each_text
json_exists json_extract_path json_extract_path_text json_object_keys json_query json_typeof json_value jsonb_array_elements
jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text
jsonb_extract_path jsonb_extract_path_text jsonb_object_keys jsonb_path_exists jsonb_path_match jsonb_path_query
jsonb_path_query_array jsonb_path_query_first jsonb_typeof row_to_json to_json to_jsonb

daterange int4range int8range isempty lower_inc lower_inf numrange range_merge tsrange tstzrange upper_inc upper_inf
"""

_WORDS = """
all and any array as between by case cube distinct else end except exists filter for from group having ilike in intersect
is join lateral like limit materialized not offset on or over placing rollup row select sets similar some symmetric then to
union using values when where with zone

current_time current_timestamp localtime localtimestamp

bigint bit bpchar char character decimal float int integer interval numeric smallint time timestamp varchar varying
"""

ALLOWED_FUNCTIONS = frozenset(_ALLOWED.split())
WORDS_BEFORE_PARENTHESES = frozenset(_WORDS.split())
"""Of SQL itself, and types with a modifier."""
