-- The demo's legacy platform: an airline operations product of the nineties. Every table carries the carrier that
-- owns the row, times are local wall clocks as text, flags are Y and N, names are repeated where they are read.
-- Keys compare bytewise, whatever the server's collation.

CREATE TABLE carr_mast (
    carr_cd text COLLATE "C" PRIMARY KEY,
    carr_nm text NOT NULL,
    home_tz text NOT NULL,
    sgmt_cd text NOT NULL,
    act_flg char(1) NOT NULL DEFAULT 'Y'
);

CREATE TABLE stn_mast (
    carr_cd text COLLATE "C" NOT NULL,
    stn_cd text COLLATE "C" NOT NULL,
    stn_nm text NOT NULL,
    lat_txt text,
    lon_txt text,
    elev_ft text,
    tz_nm text,
    dst_flg text,
    upd_ts timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (carr_cd, stn_cd)
);

CREATE TABLE eqp_mast (
    carr_cd text COLLATE "C" NOT NULL,
    tail_no text COLLATE "C" NOT NULL,
    mfr_yr text,
    eqp_typ text,
    mfr_nm text,
    mdl_nm text,
    eng_cnt text,
    seat_cnt text,
    cruise_spd text,
    eng_typ text,
    upd_ts timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (carr_cd, tail_no)
);

CREATE TABLE flt_hist (
    carr_cd text COLLATE "C" NOT NULL,
    flt_seq bigint NOT NULL,
    flt_no text NOT NULL,
    flt_dt text NOT NULL,
    leg_no text NOT NULL,
    org_stn text NOT NULL,
    org_nm text,
    dst_stn text NOT NULL,
    dst_nm text,
    tail_no text,
    sch_dep text NOT NULL,
    sch_arr text NOT NULL,
    act_dep text,
    act_arr text,
    dep_dly integer,
    arr_dly integer,
    air_min integer,
    dist_mi integer,
    can_flg char(1) NOT NULL,
    upd_ts timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (carr_cd, flt_seq)
);

CREATE TABLE usr_mast (
    carr_cd text COLLATE "C" NOT NULL,
    usr_id integer NOT NULL,
    login text NOT NULL,
    full_nm text NOT NULL,
    role_cd text NOT NULL,
    act_flg char(1) NOT NULL,
    PRIMARY KEY (carr_cd, usr_id)
);

CREATE TABLE plan_mast (
    carr_cd text COLLATE "C" PRIMARY KEY,
    plan_cd text NOT NULL,
    plan_nm text NOT NULL,
    seat_lim integer,
    flt_lim integer,
    price_cents text NOT NULL,
    gf_flg char(1) NOT NULL,
    gf_until text
);

CREATE TABLE plan_addon (
    carr_cd text COLLATE "C" NOT NULL,
    addon_cd text NOT NULL,
    addon_nm text NOT NULL,
    qty integer NOT NULL,
    price_cents text NOT NULL,
    PRIMARY KEY (carr_cd, addon_cd)
);

CREATE TABLE hook_mast (
    carr_cd text COLLATE "C" NOT NULL,
    hook_id integer NOT NULL,
    url_txt text NOT NULL,
    evt_lst text NOT NULL,
    sec_hash text NOT NULL,
    act_flg char(1) NOT NULL,
    PRIMARY KEY (carr_cd, hook_id)
);

CREATE TABLE api_key (
    carr_cd text COLLATE "C" NOT NULL,
    key_id integer NOT NULL,
    key_lbl text NOT NULL,
    key_hash text NOT NULL,
    scp_lst text NOT NULL,
    last_dt text,
    act_flg char(1) NOT NULL,
    PRIMARY KEY (carr_cd, key_id)
);

CREATE TABLE intg_mast (
    carr_cd text COLLATE "C" NOT NULL,
    intg_id integer NOT NULL,
    intg_typ text NOT NULL,
    intg_nm text NOT NULL,
    url_txt text,
    feed_lst text NOT NULL,
    last_dt text,
    act_flg char(1) NOT NULL,
    PRIMARY KEY (carr_cd, intg_id)
);

-- When a row changed last. Whoever sets it by hand knows what they do.
CREATE FUNCTION upd_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.upd_ts := now();
    RETURN NEW;
END $$;
CREATE TRIGGER stn_touch BEFORE UPDATE ON stn_mast FOR EACH ROW WHEN (NEW.upd_ts = OLD.upd_ts) EXECUTE FUNCTION upd_touch();
CREATE TRIGGER eqp_touch BEFORE UPDATE ON eqp_mast FOR EACH ROW WHEN (NEW.upd_ts = OLD.upd_ts) EXECUTE FUNCTION upd_touch();
CREATE TRIGGER flt_touch BEFORE UPDATE ON flt_hist FOR EACH ROW WHEN (NEW.upd_ts = OLD.upd_ts) EXECUTE FUNCTION upd_touch();

GRANT SELECT ON ALL TABLES IN SCHEMA public TO legacy_reader;
