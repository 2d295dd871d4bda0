-- The demo's new platform: one account per customer, instants in UTC, foreign keys, enumerations.

CREATE SCHEMA platform;

CREATE TYPE platform.time_zone AS ENUM (
    'America/Anchorage', 'America/Chicago', 'America/Denver', 'America/Los_Angeles', 'America/New_York',
    'America/Phoenix', 'America/Puerto_Rico', 'America/St_Thomas', 'America/Vancouver', 'Pacific/Honolulu'
);
CREATE TYPE platform.aircraft_category AS ENUM ('aeroplane', 'helicopter');
CREATE TYPE platform.engine_kind AS ENUM (
    'four_cycle', 'reciprocating', 'turbofan', 'turbojet', 'turboprop', 'turboshaft'
);
CREATE TYPE platform.flight_status AS ENUM ('flown', 'cancelled', 'diverted');

CREATE TABLE platform.account (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    legacy_ref text NOT NULL
);

-- Who works here. People are set up by their directory or by an administrator, so the loader only reads them.
CREATE TABLE platform.person (
    account_id uuid NOT NULL,
    key text COLLATE "C" NOT NULL,
    external_id text,
    user_name text NOT NULL,
    email text,
    name text NOT NULL,
    role text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    PRIMARY KEY (account_id, key)
);

CREATE TABLE platform.airport (
    account_id uuid NOT NULL REFERENCES platform.account,
    code text COLLATE "C" NOT NULL CHECK (code ~ '^[A-Z0-9]{3,4}$'),
    name text NOT NULL,
    latitude numeric(9, 6) NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude numeric(9, 6) NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    elevation_ft integer,
    time_zone platform.time_zone NOT NULL,
    PRIMARY KEY (account_id, code)
);

CREATE TABLE platform.aircraft_type (
    account_id uuid NOT NULL REFERENCES platform.account,
    code text COLLATE "C" NOT NULL,
    manufacturer text NOT NULL,
    model text NOT NULL,
    category platform.aircraft_category NOT NULL,
    PRIMARY KEY (account_id, code),
    UNIQUE (account_id, manufacturer, model)
);

CREATE TABLE platform.aircraft (
    account_id uuid NOT NULL,
    registration text COLLATE "C" NOT NULL,
    type_code text COLLATE "C" NOT NULL,
    built_in smallint CHECK (built_in BETWEEN 1903 AND 2100),
    engine_count smallint NOT NULL CHECK (engine_count > 0),
    seats smallint NOT NULL CHECK (seats > 0),
    engine platform.engine_kind NOT NULL,
    PRIMARY KEY (account_id, registration),
    FOREIGN KEY (account_id, type_code) REFERENCES platform.aircraft_type (account_id, code)
);

CREATE TABLE platform.flight (
    account_id uuid NOT NULL,
    reference text COLLATE "C" NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    departs_on date NOT NULL,
    leg smallint NOT NULL DEFAULT 1 CHECK (leg > 0),
    origin text COLLATE "C" NOT NULL,
    destination text COLLATE "C" NOT NULL,
    registration text COLLATE "C",
    reported_registration text,
    scheduled_departure_at timestamptz NOT NULL,
    scheduled_arrival_at timestamptz NOT NULL CHECK (scheduled_arrival_at > scheduled_departure_at),
    departed_at timestamptz,
    arrived_at timestamptz,
    departure_delay_minutes smallint,
    arrival_delay_minutes smallint,
    airborne_minutes smallint CHECK (airborne_minutes > 0),
    distance_km numeric(7, 1) NOT NULL CHECK (distance_km > 0),
    status platform.flight_status NOT NULL,
    PRIMARY KEY (account_id, reference),
    UNIQUE (account_id, number, departs_on, leg),
    FOREIGN KEY (account_id, origin) REFERENCES platform.airport (account_id, code),
    FOREIGN KEY (account_id, destination) REFERENCES platform.airport (account_id, code),
    FOREIGN KEY (account_id, registration) REFERENCES platform.aircraft (account_id, registration),
    CHECK ((status = 'cancelled') = (departed_at IS NULL)),
    CHECK (arrived_at > departed_at)
);

-- Where every migrated object comes from; stays when Crossing's own stage is gone. Its objects refer to the account, so
-- it need not: the check would cost as much as the row.
CREATE TABLE platform.provenance (
    account_id uuid NOT NULL,
    entity text NOT NULL,
    source_system text NOT NULL,
    source_key text COLLATE "C" NOT NULL,
    target_key text COLLATE "C" NOT NULL,
    run_id uuid NOT NULL,
    spec text NOT NULL,
    source_hash bytea NOT NULL,
    migrated_at timestamptz NOT NULL,
    -- The selective column first: a planner without statistics then has one good choice only.
    PRIMARY KEY (source_key, account_id, entity, source_system)
);
-- An object that keeps its row's key is found by that.
CREATE INDEX provenance_target ON platform.provenance (target_key, account_id, entity) WHERE target_key <> source_key;
-- An account's rows lie together, so that few of its blocks are read when its move is closed, and no other account's.
CREATE INDEX provenance_account ON platform.provenance USING brin (account_id uuid_minmax_multi_ops)
  WITH (autosummarize = on);

-- What is sold, at which price a month. Prices are in the currency's smallest unit.
CREATE TABLE platform.plan (
    code text COLLATE "C" PRIMARY KEY,
    name text NOT NULL
);
CREATE TABLE platform.addon (
    code text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    unit text NOT NULL
);
CREATE TABLE platform.price (
    item text COLLATE "C" NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    monthly bigint NOT NULL CHECK (monthly >= 0),
    PRIMARY KEY (item, currency)
);
CREATE TABLE platform.resource (
    code text COLLATE "C" PRIMARY KEY,
    name text NOT NULL
);
CREATE TABLE platform.plan_feature (
    plan_code text COLLATE "C" NOT NULL REFERENCES platform.plan,
    feature text COLLATE "C" NOT NULL,
    PRIMARY KEY (plan_code, feature)
);

-- What an account has bought: this is what will be invoiced.
CREATE TABLE platform.subscription (
    account_id uuid PRIMARY KEY REFERENCES platform.account ON DELETE CASCADE,
    plan_code text COLLATE "C" NOT NULL REFERENCES platform.plan,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    monthly_price bigint NOT NULL CHECK (monthly_price >= 0)
);
CREATE TABLE platform.subscription_limit (
    account_id uuid NOT NULL REFERENCES platform.subscription ON DELETE CASCADE,
    resource text COLLATE "C" NOT NULL REFERENCES platform.resource,
    most bigint CHECK (most >= 0),
    PRIMARY KEY (account_id, resource)
);
CREATE TABLE platform.subscription_addon (
    account_id uuid NOT NULL REFERENCES platform.subscription ON DELETE CASCADE,
    addon_code text COLLATE "C" NOT NULL REFERENCES platform.addon,
    quantity integer NOT NULL CHECK (quantity > 0),
    monthly_price bigint NOT NULL CHECK (monthly_price >= 0),
    PRIMARY KEY (account_id, addon_code)
);
CREATE TABLE platform.subscription_term (
    account_id uuid NOT NULL REFERENCES platform.subscription ON DELETE CASCADE,
    code text COLLATE "C" NOT NULL,
    until date,
    PRIMARY KEY (account_id, code)
);

-- Rules that an organisation sets for itself.
CREATE TABLE platform.policy (
    account_id uuid NOT NULL REFERENCES platform.account ON DELETE CASCADE,
    policy text COLLATE "C" NOT NULL,
    is_allowed boolean NOT NULL,
    PRIMARY KEY (account_id, policy)
);

INSERT INTO platform.plan VALUES
    ('enterprise', 'Enterprise'), ('professional', 'Professional'), ('standard', 'Standard');
INSERT INTO platform.addon VALUES
    ('weather', 'Weather feed', 'feed'), ('crew-messages', 'Crew messages', 'pack of 1,000 a month'),
    ('ops-mail', 'Operations mail', 'mailbox');
INSERT INTO platform.price VALUES
    ('enterprise', 'USD', 480000), ('professional', 'USD', 145000), ('standard', 'USD', 62000),
    ('weather', 'USD', 12000), ('crew-messages', 'USD', 900), ('ops-mail', 'USD', 2500);
INSERT INTO platform.resource VALUES
    ('members', 'Members'), ('flights_per_year', 'Flights a year'), ('api_calls_per_day', 'API calls a day');
INSERT INTO platform.plan_feature VALUES
    ('standard', 'flight-board'), ('standard', 'report-view'),
    ('professional', 'flight-board'), ('professional', 'report-view'), ('professional', 'report-export'),
    ('professional', 'api'), ('professional', 'webhooks'),
    ('enterprise', 'flight-board'), ('enterprise', 'report-view'), ('enterprise', 'report-export'),
    ('enterprise', 'api'), ('enterprise', 'webhooks'), ('enterprise', 'sso'), ('enterprise', 'audit-log');

GRANT USAGE ON SCHEMA platform TO new_loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA platform TO new_loader;
REVOKE INSERT, UPDATE, DELETE ON platform.plan, platform.addon, platform.price, platform.resource, platform.plan_feature,
    platform.policy, platform.person FROM new_loader;
