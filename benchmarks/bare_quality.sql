-- What a person would write in DuckDB for the metrics of quality_checks.toml.
SELECT count(*),
  count(review_id) / count(*), count(customer_id) / count(*), count(product_id) / count(*),
  count(star_rating) / count(*), count(review_headline) / count(*), count(review_body) / count(*),
  (SELECT count_if(n = 1) / sum(n) FROM (SELECT count(*) AS n FROM reviews GROUP BY review_id)),
  count(DISTINCT product_id) / count(product_id),
  count(DISTINCT star_rating), count(DISTINCT product_category), count(DISTINCT customer_id),
  avg(CAST(star_rating IN (1, 2, 3, 4, 5) AS int)), avg(CAST(vine IN ('Y', 'N') AS int)),
  avg(CAST(verified_purchase IN ('Y') AS int)), avg(CAST(marketplace IN ('US') AS int)),
  avg(CAST(regexp_matches(review_id, '^R[A-Z0-9]+$') AS int)),
  avg(CAST(regexp_matches(product_id, '^B[A-Z0-9]{9}$') AS int)),
  avg(CAST(regexp_matches(customer_id, '^[0-9]+$') AS int)),
  min(star_rating), max(star_rating), avg(star_rating),
  stddev_pop(helpful_votes), sum(total_votes), approx_quantile(total_votes, 0.9),
  min(length(review_body)), max(length(review_body)),
  avg(CAST(helpful_votes >= 0 AS int)), avg(CAST(total_votes >= 0 AS int)),
  avg(CAST(helpful_votes <= total_votes AS int))
FROM reviews
