-- The new database: the clean schema of a product that each franchise has an account of. `platform.account` and
-- `platform.provenance` are those of docs/integrating.md.

CREATE TYPE platform.franchise_status AS ENUM ('active', 'folded', 'association');
CREATE TYPE platform.hand AS ENUM ('left', 'right', 'both');

CREATE TABLE platform.franchise (
    account_id uuid NOT NULL, code text COLLATE "C" NOT NULL, name text NOT NULL, status platform.franchise_status NOT NULL,
    PRIMARY KEY (account_id, code)
);
CREATE TABLE platform.league (
    account_id uuid NOT NULL, code text COLLATE "C" NOT NULL, name text NOT NULL,
    PRIMARY KEY (account_id, code)
);
CREATE TABLE platform.season (
    account_id uuid NOT NULL, reference text COLLATE "C" NOT NULL, year smallint NOT NULL, team text NOT NULL,
    league text COLLATE "C" NOT NULL, club text NOT NULL, ballpark text, place smallint NOT NULL, games smallint NOT NULL,
    wins smallint NOT NULL, losses smallint NOT NULL, attendance integer, won_division boolean, won_world_series boolean,
    PRIMARY KEY (account_id, reference),
    FOREIGN KEY (account_id, league) REFERENCES platform.league
);
CREATE TABLE platform.park (
    account_id uuid NOT NULL, code text COLLATE "C" NOT NULL, name text NOT NULL, also_known_as text,
    city text NOT NULL, state text, country text NOT NULL,
    PRIMARY KEY (account_id, code)
);
CREATE TABLE platform.home_stand (
    account_id uuid NOT NULL, reference text COLLATE "C" NOT NULL, season text COLLATE "C" NOT NULL,
    park text COLLATE "C" NOT NULL, first_on date NOT NULL, last_on date NOT NULL, games smallint NOT NULL,
    attendance integer,
    PRIMARY KEY (account_id, reference),
    FOREIGN KEY (account_id, season) REFERENCES platform.season,
    FOREIGN KEY (account_id, park) REFERENCES platform.park
);
-- Keys of the platform's own making stand beside: whoever refers to a player here does so by number.
CREATE TABLE platform.player (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL, reference text COLLATE "C" NOT NULL, name text NOT NULL, full_name text,
    born_on date, birth_year smallint, birth_place text, died_on date, bats platform.hand, throws platform.hand,
    height_cm numeric(5,1), weight_kg numeric(5,1), debut_on date, last_played_on date,
    UNIQUE (account_id, reference)
);
CREATE TABLE platform.batting_line (
    account_id uuid NOT NULL, reference text COLLATE "C" NOT NULL, player text COLLATE "C" NOT NULL,
    season text COLLATE "C" NOT NULL, stint smallint NOT NULL, games smallint NOT NULL, at_bats smallint NOT NULL,
    runs smallint NOT NULL, hits smallint NOT NULL, doubles smallint NOT NULL, triples smallint NOT NULL,
    home_runs smallint NOT NULL, total_bases smallint NOT NULL, runs_batted_in smallint, walks smallint NOT NULL,
    strikeouts smallint, sacrifice_flies smallint,
    PRIMARY KEY (account_id, reference),
    FOREIGN KEY (account_id, player) REFERENCES platform.player (account_id, reference),
    FOREIGN KEY (account_id, season) REFERENCES platform.season
);
CREATE TABLE platform.pitching_line (
    account_id uuid NOT NULL, reference text COLLATE "C" NOT NULL, player text COLLATE "C" NOT NULL,
    season text COLLATE "C" NOT NULL, stint smallint NOT NULL, wins smallint NOT NULL, losses smallint NOT NULL,
    outs integer NOT NULL, earned_runs smallint NOT NULL, earned_run_average numeric(6,2), strikeouts smallint NOT NULL,
    PRIMARY KEY (account_id, reference),
    FOREIGN KEY (account_id, player) REFERENCES platform.player (account_id, reference),
    FOREIGN KEY (account_id, season) REFERENCES platform.season
);
CREATE TABLE platform.salary (
    account_id uuid NOT NULL, reference text COLLATE "C" NOT NULL, player text COLLATE "C" NOT NULL,
    season text COLLATE "C" NOT NULL, amount numeric(12,2) NOT NULL CHECK (amount > 0),
    PRIMARY KEY (account_id, reference),
    FOREIGN KEY (account_id, player) REFERENCES platform.player (account_id, reference),
    FOREIGN KEY (account_id, season) REFERENCES platform.season
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA platform TO new_loader;
