"""Trino functions that DuckDB lacks or means otherwise, as macros of each query's connection.

`athena_fail` gives a value of the type of `x`, except that it fails with the message: unlike
DuckDB's own `error`, TRY can make NULL of it.
https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html
"""

_INT = r"'[+-]?\d+'"
_FLOAT = r"'\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|NaN|[+-]?Infinity)\s*'"
_DATE = r"'\s*[+-]?\d+-\d{1,2}-\d{1,2}\s*'"
_BOOL = r"'(?i:t|f|true|false|1|0)'"


def _guard(name: str, pattern: str, words: str, value: str = "x") -> str:
    """A check of text before a cast, and the same giving NULL for TRY_CAST."""
    fits = f"typeof(x) <> 'VARCHAR' OR regexp_full_match(CAST(x AS VARCHAR), {pattern})"
    return f"""
CREATE MACRO athena_{name}(x, t) AS CASE WHEN {fits} THEN {value}
    ELSE athena_fail(x, 'INVALID_CAST_ARGUMENT: ' || {words}) END;
CREATE MACRO athena_try_{name}(x) AS CASE WHEN {fits} THEN {value} END;"""


_CANNOT = "'Cannot cast ''' || CAST(x AS VARCHAR) || ''' to ' || t"
_HALF_UP = """CASE WHEN typeof(x) IN ('DOUBLE', 'FLOAT')
    THEN cast_to_type(round(TRY_CAST(x AS DOUBLE)), x) ELSE x END"""

MACROS = (
    r"""
CREATE MACRO athena_fail(x, words) AS ([x])[CAST(words || '' AS BIGINT)];
"""
    + _guard("int", _INT, _CANNOT, _HALF_UP)
    + _guard("float", _FLOAT, _CANNOT)
    + _guard("bool", _BOOL, _CANNOT)
    + _guard("date", _DATE, "'Value cannot be cast to date: ' || CAST(x AS VARCHAR)")
    + r"""
CREATE MACRO athena_digits(t) AS
    rtrim(ltrim(regexp_replace(split_part(lower(t), 'e', 1), '[-.]', '', 'g'), '0'), '0');
CREATE MACRO athena_java(t, x) AS CASE WHEN isnan(x) THEN 'NaN'
    WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END
    WHEN x = 0 OR (abs(x) >= 0.001 AND abs(x) < 1e7) THEN t
    ELSE CASE WHEN x < 0 THEN '-' ELSE '' END || (athena_digits(t))[1] || '.'
        || coalesce(nullif((athena_digits(t))[2:], ''), '0')
        || 'E' || CAST(floor(log10(abs(x))) AS INTEGER) END;
CREATE MACRO athena_text(x) AS CASE
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT')
        THEN athena_java(CAST(x AS VARCHAR), TRY_CAST(x AS DOUBLE))
    WHEN typeof(x) = 'TIMESTAMP' THEN strftime(TRY_CAST(x AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
    ELSE CAST(x AS VARCHAR) END;
CREATE MACRO athena_typeof(x) AS CASE
    WHEN typeof(x) = 'FLOAT' THEN 'real'
    WHEN typeof(x) = 'BLOB' THEN 'varbinary'
    WHEN typeof(x) = 'TIMESTAMP' THEN 'timestamp(3)'
    WHEN typeof(x) = '"NULL"' THEN 'unknown'
    WHEN typeof(x) LIKE '%[]' THEN 'array(' || lower(typeof(x)[:-3]) || ')'
    ELSE lower(replace(typeof(x), ', ', ',')) END;
CREATE MACRO athena_at_utc(x) AS CASE WHEN typeof(x) = 'TIMESTAMP WITH TIME ZONE'
    THEN CAST(x AS TIMESTAMPTZ) ELSE timezone('UTC', CAST(x AS TIMESTAMP)) END;

CREATE MACRO map_agg(k, v) AS map(list(k), list(v));
CREATE MACRO multimap_agg(k, v) AS map_from_entries(list_transform(array_distinct(list(k)),
    lambda q: {'key': q, 'value': list_transform(
        list_filter(list({'k': k, 'v': v}), lambda p: p.k = q), lambda p: p.v)}));
CREATE MACRO arbitrary(x) AS any_value(x);
CREATE MACRO every(x) AS bool_and(x);
CREATE MACRO geometric_mean(x) AS exp(avg(ln(x)));

CREATE MACRO is_nan(x) AS isnan(x);
CREATE MACRO is_finite(x) AS isfinite(x);
CREATE MACRO is_infinite(x) AS isinf(x);
CREATE MACRO infinity() AS CAST('Infinity' AS DOUBLE);
CREATE MACRO nan() AS CAST('NaN' AS DOUBLE);
CREATE MACRO e() AS exp(1::DOUBLE);
CREATE MACRO rand() AS random();
CREATE MACRO truncate(x) AS trunc(x);
CREATE MACRO bitwise_not(a) AS ~a;
CREATE MACRO width_bucket(x, low, high, n) AS CAST(CASE WHEN x < low THEN 0
    WHEN x >= high THEN n + 1
    ELSE floor(CAST(x - low AS DOUBLE) / (high - low) * n) + 1 END AS BIGINT);

CREATE MACRO codepoint(x) AS unicode(x);
CREATE MACRO levenshtein_distance(a, b) AS levenshtein(a, b);
CREATE MACRO hamming_distance(a, b) AS hamming(a, b);
CREATE MACRO athena_reverse(x VARCHAR) AS reverse(x), (x) AS list_reverse(x);
CREATE MACRO athena_split(s, d) AS string_split(s, d),
    (s, d, n) AS CASE WHEN len(string_split(s, d)) <= n THEN string_split(s, d)
    ELSE list_append((string_split(s, d))[:n - 1],
                     array_to_string((string_split(s, d))[n:], d)) END;
CREATE MACRO athena_split_part(s, d, n) AS
    CASE WHEN n <= len(string_split(s, d)) THEN split_part(s, d, n) END;
CREATE MACRO athena_split_to_map(s, d, m) AS map_from_entries(list_transform(
    string_split(s, d), lambda p: {'key': split_part(p, m, 1), 'value': split_part(p, m, 2)}));
CREATE MACRO regexp_count(s, p) AS len(regexp_extract_all(s, p));
CREATE MACRO regexp_split(s, p) AS string_split_regex(s, p);
CREATE MACRO athena_regexp_extract(s, p, g) AS
    CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END;
CREATE MACRO athena_url_encode(u) AS replace(url_encode(u), '%20', '+');
CREATE MACRO athena_url_decode(u) AS url_decode(replace(u, '+', ' '));
CREATE MACRO url_extract_host(u) AS
    nullif(regexp_extract(u, '^[^:]+://(?:[^/@]*@)?([^/:?#]+)', 1), '');
CREATE MACRO url_extract_path(u) AS regexp_extract(u, '^[^:]+://[^/?#]+([^?#]*)', 1);
CREATE MACRO url_extract_protocol(u) AS nullif(regexp_extract(u, '^([^:]+)://', 1), '');
CREATE MACRO url_extract_query(u) AS regexp_extract(u, '\?([^#]*)', 1);
CREATE MACRO url_extract_parameter(u, n) AS athena_regexp_extract(
    url_extract_query(u), '(?:^|&)' || n || '=([^&]*)', 1);

CREATE MACRO array_distinct(a) AS list_filter(a, lambda x, i: list_position(a, x) = i);
CREATE MACRO array_intersect(a, b) AS list_sort(list_intersect(a, b));
CREATE MACRO array_union(a, b) AS array_distinct(list_concat(a, b));
CREATE MACRO array_except(a, b) AS array_distinct(
    list_filter(a, lambda x: list_position(b, x) IS NULL));
CREATE MACRO array_max(a) AS list_max(a);
CREATE MACRO array_min(a) AS list_min(a);
CREATE MACRO arrays_overlap(a, b) AS list_has_any(a, b);
CREATE MACRO array_remove(a, e) AS list_filter(a, lambda x: x <> e);
CREATE MACRO athena_array_position(a, x) AS
    CASE WHEN a IS NOT NULL AND x IS NOT NULL THEN coalesce(list_position(a, x), 0) END;
CREATE MACRO athena_slice(a, start, n) AS
    a[CASE WHEN start < 0 THEN len(a) + start + 1 ELSE start END:
      CASE WHEN start < 0 THEN len(a) + start ELSE start - 1 END + n];
CREATE MACRO athena_repeat(x, n) AS list_transform(range(n), lambda i: x);
CREATE MACRO athena_sequence(a, b) AS generate_series(a, b, CASE WHEN a > b THEN -1 ELSE 1 END);
CREATE MACRO athena_sequence_of_days(a, b) AS
    cast_to_type(generate_series(a, b, INTERVAL 1 DAY), [a]);
CREATE MACRO athena_map_entries(m) AS
    list_transform(map_entries(m), lambda e: {'_0': e.key, '_1': e.value});
CREATE MACRO shuffle(a) AS list_transform(
    list_sort(list_transform(a, lambda x: {'at': random(), 'x': x})), lambda p: p.x);
CREATE MACRO ngrams(a, n) AS list_transform(
    range(1, greatest(len(a) - n + 2, 2)), lambda i: a[i:i + n - 1]);
CREATE MACRO zip(a, b) AS list_transform(list_zip(a, b), lambda p: {'_0': p[1], '_1': p[2]});
CREATE MACRO athena_subscript(c, k VARCHAR) AS CASE WHEN c IS NULL OR map_contains(c, k) THEN c[k]
    ELSE athena_fail(c[k], 'INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || k) END,
(c, k BIGINT) AS CASE
    WHEN typeof(c) LIKE 'MAP(%' OR c IS NULL OR k BETWEEN 1 AND cardinality(c) THEN c[k]
    WHEN k = 0 THEN athena_fail(c[k],
        'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
    WHEN k < 0 THEN athena_fail(c[k],
        'INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || k)
    ELSE athena_fail(c[k], 'INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or '
        || 'equal to array length: ' || k || ' > ' || cardinality(c)) END,
(c, k) AS c[k];

CREATE MACRO athena_json_extract(j, p) AS
    CASE WHEN json_valid(j) THEN json_extract(j, p) END;
CREATE MACRO athena_json_scalar(j, p) AS CASE WHEN json_valid(j)
    AND json_type(json_extract(j, p)) NOT IN ('OBJECT', 'ARRAY', 'NULL')
    THEN json_extract_string(j, p) END;
CREATE MACRO json_array_contains(j, v) AS list_contains(CAST(j AS JSON[]), to_json(v));
CREATE MACRO json_size(j, p) AS CASE json_type(j, p) WHEN 'ARRAY' THEN json_array_length(j, p)
    WHEN 'OBJECT' THEN len(json_keys(j, p)) ELSE 0 END;
CREATE MACRO json_format(j) AS CAST(j AS VARCHAR);
CREATE MACRO is_json_scalar(j) AS json_type(j) NOT IN ('OBJECT', 'ARRAY');

CREATE MACRO to_iso8601(x) AS CASE WHEN typeof(x) = 'DATE' THEN strftime(x, '%Y-%m-%d')
    ELSE strftime(CAST(x AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%g') END;
CREATE MACRO last_day_of_month(x) AS last_day(x);
CREATE MACRO day_of_week(x) AS isodow(x);
CREATE MACRO dow(x) AS isodow(x);
CREATE MACRO day_of_month(x) AS day(x);
CREATE MACRO day_of_year(x) AS dayofyear(x);
CREATE MACRO doy(x) AS dayofyear(x);
CREATE MACRO week_of_year(x) AS week(x);
CREATE MACRO year_of_week(x) AS isoyear(x);
CREATE MACRO yow(x) AS isoyear(x);
"""
)
