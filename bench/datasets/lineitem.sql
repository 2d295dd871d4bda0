-- section: legacy
CREATE TABLE line_mast (
    own_cd text, lin_no bigint PRIMARY KEY, ord_no text, prt_no text, sup_no text, qty text, ext_prc text, disc text,
    tax_rt text, urg_flg char(1), sta_cd text, shp_dt text, cmt_dt text, rct_dt text, instr text, ship_md text,
    rem_txt text
);
INSERT INTO line_mast
SELECT 'A', l_orderkey::bigint * 10 + l_linenumber::bigint, l_orderkey, l_partkey, l_suppkey, l_quantity,
    l_extendedprice, l_discount, l_tax, CASE l_returnflag WHEN 'R' THEN 'Y' ELSE 'N' END, l_linestatus,
    replace(l_shipdate, '-', ''), replace(l_commitdate, '-', ''), replace(l_receiptdate, '-', ''),
    nullif(l_shipinstruct, 'NONE'), l_shipmode, ' ' || l_comment || ' '
FROM came ORDER BY place;
-- The same mapping on the server, for the tools that cannot map.
CREATE VIEW mapped AS
SELECT lin_no AS id, ord_no::bigint AS order_id, prt_no::bigint AS part_id, sup_no::integer AS supplier_id,
    qty::integer AS quantity, (ext_prc::numeric * 100)::numeric(14,2) AS price_cents, disc::numeric(4,2) AS discount,
    tax_rt::numeric(4,2) AS tax, urg_flg = 'Y' AS urgent, lower(sta_cd) AS status,
    to_date(shp_dt, 'YYYYMMDD') AS shipped_on, to_date(cmt_dt, 'YYYYMMDD') AS committed_on,
    to_date(rct_dt, 'YYYYMMDD') AS received_on, coalesce(instr, 'none') AS instructions, lower(ship_md) AS mode,
    btrim(rem_txt, ' ') AS comment
FROM line_mast;
GRANT SELECT ON line_mast, mapped TO legacy_reader;
-- section: new
CREATE SCHEMA clean;
CREATE TABLE clean.line_item (
    owner text, id bigint PRIMARY KEY, order_id bigint, part_id bigint, supplier_id integer, quantity integer,
    price_cents numeric(14,2), discount numeric(4,2), tax numeric(4,2), urgent boolean, status text, shipped_on date,
    committed_on date, received_on date, instructions text, mode text, comment text
);
INSERT INTO clean.line_item
SELECT 'a', l_orderkey::bigint * 10 + l_linenumber::bigint, l_orderkey::bigint, l_partkey::bigint,
    l_suppkey::integer, l_quantity::integer, l_extendedprice::numeric * 100, l_discount::numeric, l_tax::numeric,
    l_returnflag = 'R', lower(l_linestatus), l_shipdate::date, l_commitdate::date, l_receiptdate::date,
    CASE l_shipinstruct WHEN 'NONE' THEN 'none' ELSE l_shipinstruct END, lower(l_shipmode), btrim(l_comment, ' ')
FROM came ORDER BY place;
GRANT USAGE ON SCHEMA clean TO new_loader;
GRANT SELECT ON clean.line_item TO new_loader;
-- section: bare
SELECT lin_no AS id, ord_no::BIGINT AS order_id, prt_no::BIGINT AS part_id, sup_no::INTEGER AS supplier_id,
    qty::INTEGER AS quantity, (ext_prc::DECIMAL(12,2) * 100)::DECIMAL(14,2) AS price_cents,
    disc::DECIMAL(4,2) AS discount, tax_rt::DECIMAL(4,2) AS tax, urg_flg = 'Y' AS urgent, lower(sta_cd) AS status,
    strptime(shp_dt, '%Y%m%d')::DATE AS shipped_on, strptime(cmt_dt, '%Y%m%d')::DATE AS committed_on,
    strptime(rct_dt, '%Y%m%d')::DATE AS received_on, coalesce(instr, 'none') AS instructions, lower(ship_md) AS mode,
    trim(rem_txt) AS comment
FROM legacy.public.line_mast
-- section: spoilt
abs(hashint8extended({id}, 0) % 1000) = 0
-- section: poison
UPDATE line_mast SET
    ord_no = CASE k WHEN 0 THEN NULL WHEN 1 THEN 'x' ELSE ord_no END, prt_no = CASE k WHEN 2 THEN '1e3' ELSE prt_no END,
    qty = CASE k WHEN 3 THEN NULL WHEN 4 THEN '12.0' ELSE qty END,
    ext_prc = CASE k WHEN 5 THEN '12,50' WHEN 6 THEN '999999999999999' ELSE ext_prc END,
    urg_flg = CASE k WHEN 7 THEN '?' ELSE urg_flg END, shp_dt = CASE k WHEN 8 THEN '19950230' ELSE shp_dt END,
    rct_dt = CASE k WHEN 9 THEN '03.02.1995' ELSE rct_dt END
FROM (SELECT lin_no AS n, row_number() OVER (ORDER BY lin_no) % 10 AS k FROM line_mast WHERE {spoilt}) AS bad
WHERE lin_no = n
