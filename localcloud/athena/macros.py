"""Trino functions that DuckDB lacks or means otherwise, as macros of each query's connection.

https://docs.aws.amazon.com/athena/latest/ug/functions.html
"""

MACROS = r"""
CREATE MACRO map_agg(k, v) AS map(list(k), list(v));
CREATE MACRO arbitrary(x) AS any_value(x);
CREATE MACRO checksum(x) AS encode(md5(string_agg(CAST(x AS VARCHAR), '')));
CREATE MACRO geometric_mean(x) AS exp(avg(ln(x)));
CREATE MACRO is_nan(x) AS isnan(x);
CREATE MACRO is_finite(x) AS isfinite(x);
CREATE MACRO is_infinite(x) AS isinf(x);
CREATE MACRO infinity() AS CAST('Infinity' AS DOUBLE);
CREATE MACRO nan() AS CAST('NaN' AS DOUBLE);
CREATE MACRO e() AS exp(1::DOUBLE);
CREATE MACRO rand() AS random();
CREATE MACRO truncate(x) AS trunc(x);
CREATE MACRO codepoint(x) AS unicode(x);
CREATE MACRO levenshtein_distance(a, b) AS levenshtein(a, b);
CREATE MACRO hamming_distance(a, b) AS hamming(a, b);
CREATE MACRO array_intersect(a, b) AS list_sort(list_intersect(a, b));
CREATE MACRO array_union(a, b) AS list_distinct(list_concat(a, b));
CREATE MACRO array_except(a, b) AS list_filter(list_distinct(a), lambda x: NOT list_contains(b, x));
CREATE MACRO array_max(a) AS list_max(a);
CREATE MACRO array_min(a) AS list_min(a);
CREATE MACRO arrays_overlap(a, b) AS list_has_any(a, b);
CREATE MACRO array_remove(a, e) AS list_filter(a, lambda x: x <> e);
CREATE MACRO zip(a, b) AS list_zip(a, b);
CREATE MACRO json_array_contains(j, v) AS list_contains(CAST(j AS JSON[]), to_json(v));
CREATE MACRO json_size(j, p) AS json_array_length(json_extract(j, p));
CREATE MACRO json_format(j) AS CAST(j AS VARCHAR);
CREATE MACRO to_iso8601(x) AS CASE WHEN typeof(x) = 'DATE' THEN strftime(x, '%Y-%m-%d')
    ELSE strftime(CAST(x AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%g') END;
CREATE MACRO with_timezone(x, z) AS timezone(z, CAST(x AS TIMESTAMP));
CREATE MACRO last_day_of_month(x) AS last_day(x);
CREATE MACRO day_of_week(x) AS isodow(x);
CREATE MACRO dow(x) AS isodow(x);
CREATE MACRO day_of_month(x) AS day(x);
CREATE MACRO day_of_year(x) AS dayofyear(x);
CREATE MACRO doy(x) AS dayofyear(x);
CREATE MACRO week_of_year(x) AS week(x);
CREATE MACRO year_of_week(x) AS isoyear(x);
CREATE MACRO yow(x) AS isoyear(x);
CREATE MACRO regexp_count(s, p) AS len(regexp_extract_all(s, p));
CREATE MACRO bitwise_not(a) AS ~a;
CREATE MACRO url_extract_host(u) AS
    nullif(regexp_extract(u, '^[^:]+://(?:[^/@]*@)?([^/:?#]+)', 1), '');
CREATE MACRO url_extract_path(u) AS regexp_extract(u, '^[^:]+://[^/?#]+([^?#]*)', 1);
CREATE MACRO url_extract_protocol(u) AS nullif(regexp_extract(u, '^([^:]+)://', 1), '');
CREATE MACRO athena_int(x, t) AS CASE WHEN typeof(x) <> 'VARCHAR'
    OR regexp_full_match(CAST(x AS VARCHAR), '[+-]?\d+') THEN x
    ELSE error('INVALID_CAST_ARGUMENT: Cannot cast ''' || CAST(x AS VARCHAR) || ''' to ' || t) END;
CREATE MACRO athena_try_int(x) AS CASE WHEN typeof(x) <> 'VARCHAR'
    OR regexp_full_match(CAST(x AS VARCHAR), '[+-]?\d+') THEN x END;
CREATE MACRO athena_float(x, t) AS CASE WHEN typeof(x) <> 'VARCHAR'
    OR regexp_full_match(CAST(x AS VARCHAR),
        '\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|NaN|[+-]?Infinity)\s*') THEN x
    ELSE error('INVALID_CAST_ARGUMENT: Cannot cast ''' || CAST(x AS VARCHAR) || ''' to ' || t) END;
CREATE MACRO athena_try_float(x) AS CASE WHEN typeof(x) <> 'VARCHAR'
    OR regexp_full_match(CAST(x AS VARCHAR),
        '\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|NaN|[+-]?Infinity)\s*') THEN x END;
CREATE MACRO athena_date(x) AS CASE WHEN typeof(x) <> 'VARCHAR'
    OR regexp_full_match(CAST(x AS VARCHAR), '\s*[+-]?\d+-\d{1,2}-\d{1,2}\s*') THEN x
    ELSE error('INVALID_CAST_ARGUMENT: Value cannot be cast to date: ' || CAST(x AS VARCHAR)) END;
CREATE MACRO athena_try_date(x) AS CASE WHEN typeof(x) <> 'VARCHAR'
    OR regexp_full_match(CAST(x AS VARCHAR), '\s*[+-]?\d+-\d{1,2}-\d{1,2}\s*') THEN x END;
CREATE MACRO athena_bool(x) AS CASE WHEN typeof(x) <> 'VARCHAR'
    OR lower(CAST(x AS VARCHAR)) IN ('t', 'f', 'true', 'false', '1', '0') THEN x
    ELSE error('INVALID_CAST_ARGUMENT: Cannot cast ''' || CAST(x AS VARCHAR) || ''' to BOOLEAN') END;
CREATE MACRO athena_try_bool(x) AS CASE WHEN typeof(x) <> 'VARCHAR'
    OR lower(CAST(x AS VARCHAR)) IN ('t', 'f', 'true', 'false', '1', '0') THEN x END;
CREATE MACRO athena_regexp_extract(s, p, g) AS
    CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END;
"""
