-- section: legacy
CREATE TABLE dep_mast (
    own_cd text, dep_no bigint PRIMARY KEY, carr_cd text, flt_no text, tail_no text, org_stn text, dst_stn text,
    flt_dt text, act_dep text, dep_dly text, dist_mi text
);
INSERT INTO dep_mast
SELECT 'A', place, carrier, flight, nullif(tailnum, ''), origin, dest,
    year || lpad(month, 2, '0') || lpad(day, 2, '0'), lpad(dep_time, 4, '0'), dep_delay, distance
FROM came ORDER BY place;
-- The same mapping on the server, for the tools that cannot map.
CREATE VIEW mapped AS
SELECT dep_no AS id, carr_cd AS carrier, flt_no::integer AS number, coalesce(tail_no, 'unknown') AS registration,
    lower(org_stn) AS origin, lower(dst_stn) AS destination,
    (to_date(flt_dt, 'YYYYMMDD') + make_interval(
        mins => left(act_dep, 2)::integer * 60 + right(act_dep, 2)::integer)) AT TIME ZONE 'America/New_York' AS left_at,
    dep_dly::integer AS delay_minutes, dist_mi::integer AS distance_miles,
    round(dist_mi::numeric * 1.609344, 1)::numeric(7,1) AS distance_km
FROM dep_mast;
GRANT SELECT ON dep_mast, mapped TO legacy_reader;
-- section: new
CREATE SCHEMA clean;
CREATE TABLE clean.departure (
    owner text, id bigint PRIMARY KEY, carrier text, number integer, registration text, origin text, destination text,
    left_at timestamptz, delay_minutes integer, distance_miles integer, distance_km numeric(7,1)
);
INSERT INTO clean.departure
SELECT 'a', place, carrier, flight::integer, coalesce(nullif(tailnum, ''), 'unknown'), lower(origin), lower(dest),
    (make_date(year::integer, month::integer, day::integer) + make_interval(
        mins => dep_time::integer / 100 * 60 + dep_time::integer % 100)) AT TIME ZONE 'America/New_York',
    dep_delay::integer, distance::integer, round(distance::numeric * 1.609344, 1)
FROM came ORDER BY place;
GRANT USAGE ON SCHEMA clean TO new_loader;
GRANT SELECT ON clean.departure TO new_loader;
-- section: bare
SELECT dep_no AS id, carr_cd AS carrier, flt_no::INTEGER AS number, coalesce(tail_no, 'unknown') AS registration,
    lower(org_stn) AS origin, lower(dst_stn) AS destination,
    timezone('America/New_York', strptime(flt_dt, '%Y%m%d') + to_minutes(
        left(act_dep, 2)::BIGINT * 60 + right(act_dep, 2)::BIGINT)) AS left_at,
    dep_dly::INTEGER AS delay_minutes, dist_mi::INTEGER AS distance_miles,
    round(dist_mi::DECIMAL(9,0) * 1.609344, 1)::DECIMAL(7,1) AS distance_km
FROM legacy.public.dep_mast
