"""The names of the functions that queries may call: Trino's, as far as they are served here.

sqlglot knows most of Trino's functions by their own node; these are the ones it passes through.
https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html
"""

from __future__ import annotations

_NAMES = """
    map_agg multimap_agg histogram geometric_mean every bool_and bool_or
    kurtosis skewness regr_slope regr_intercept regr_r2 covar_pop covar_samp corr

    is_nan is_finite is_infinite infinity nan e pi rand truncate round ceil ceiling floor sign
    mod power pow sqrt cbrt log log2 log10 sin cos tan asin acos atan atan2 sinh cosh tanh
    degrees radians width_bucket greatest least
    bitwise_not bitwise_and bitwise_or bitwise_xor

    codepoint chr levenshtein_distance hamming_distance position strpos starts_with ends_with
    lpad rpad ltrim rtrim trim upper lower translate concat concat_ws
    regexp_count regexp_split split_to_map
    url_encode url_decode url_extract_host url_extract_path url_extract_protocol
    url_extract_parameter url_extract_query
    to_base64 from_base64 to_hex from_hex uuid

    array_intersect array_union array_except array_max array_min arrays_overlap array_remove
    array_distinct array_sort array_position array_join flatten ngrams shuffle zip sequence
    map_entries map_keys map_values map_from_entries map_concat

    json_size json_array_contains json_array_length json_format json_extract
    json_extract_scalar json_parse is_json_scalar

    to_iso8601 last_day_of_month day_of_week dow day_of_month day_of_year doy week_of_year
    year_of_week yow year month day hour minute second millisecond quarter week date date_trunc

    row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value
    nth_value grouping
"""
SERVED = frozenset(_NAMES.split())
