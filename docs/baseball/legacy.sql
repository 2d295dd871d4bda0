-- The legacy database: tables as the Lahman database's files have them, names, empty texts and all. Then one view per
-- entity that gives each row its customer, the franchise; the owner of the database makes these, Crossing only reads them.

CREATE TABLE "TeamsFranchises" ("franchID" text PRIMARY KEY, "franchName" text, active text, "NAassoc" text);

CREATE TABLE "Teams" (
    "yearID" smallint, "lgID" text, "teamID" text, "franchID" text, "divID" text, "Rank" smallint, "G" smallint,
    "Ghome" smallint, "W" smallint, "L" smallint, "DivWin" text, "WCWin" text, "LgWin" text, "WSWin" text, "R" int,
    "AB" int, "H" int, "2B" int, "3B" int, "HR" int, "BB" int, "SO" int, "SB" int, "CS" int, "HBP" int, "SF" int,
    "RA" int, "ER" int, "ERA" numeric, "CG" int, "SHO" int, "SV" int, "IPouts" int, "HA" int, "HRA" int, "BBA" int,
    "SOA" int, "E" int, "DP" int, "FP" numeric, name text, park text, attendance int, "BPF" int, "PPF" int,
    "teamIDBR" text, "teamIDlahman45" text, "teamIDretro" text,
    PRIMARY KEY ("yearID", "lgID", "teamID")
);

CREATE TABLE "People" (
    "playerID" text PRIMARY KEY, "birthYear" smallint, "birthMonth" smallint, "birthDay" smallint, "birthCountry" text,
    "birthState" text, "birthCity" text, "deathYear" smallint, "deathMonth" smallint, "deathDay" smallint,
    "deathCountry" text, "deathState" text, "deathCity" text, "nameFirst" text, "nameLast" text, "nameGiven" text,
    weight smallint, height smallint, bats text, throws text, debut date, "finalGame" date, "retroID" text, "bbrefID" text
);

CREATE TABLE "Batting" (
    "playerID" text, "yearID" smallint, stint smallint, "teamID" text, "lgID" text, "G" smallint, "AB" smallint,
    "R" smallint, "H" smallint, "2B" smallint, "3B" smallint, "HR" smallint, "RBI" smallint, "SB" smallint,
    "CS" smallint, "BB" smallint, "SO" smallint, "IBB" smallint, "HBP" smallint, "SH" smallint, "SF" smallint,
    "GIDP" smallint,
    PRIMARY KEY ("playerID", "yearID", stint)
);

CREATE TABLE "Pitching" (
    "playerID" text, "yearID" smallint, stint smallint, "teamID" text, "lgID" text, "W" smallint, "L" smallint,
    "G" smallint, "GS" smallint, "CG" smallint, "SHO" smallint, "SV" smallint, "IPouts" int, "H" smallint,
    "ER" smallint, "HR" smallint, "BB" smallint, "SO" smallint, "BAOpp" numeric, "ERA" numeric, "IBB" smallint,
    "WP" smallint, "HBP" smallint, "BK" smallint, "BFP" smallint, "GF" smallint, "R" smallint, "SH" smallint,
    "SF" smallint, "GIDP" smallint,
    PRIMARY KEY ("playerID", "yearID", stint)
);

CREATE TABLE "Salaries" (
    "yearID" smallint, "teamID" text, "lgID" text, "playerID" text, salary numeric,
    PRIMARY KEY ("yearID", "teamID", "lgID", "playerID")
);

CREATE TABLE "Parks" ("parkKey" text PRIMARY KEY, "parkName" text, "parkAlias" text, city text, state text, country text);

CREATE TABLE "HomeGames" (
    "yearKey" smallint, "leagueKey" text, "teamKey" text, "parkKey" text, "spanFirst" date, "spanLast" date,
    games smallint, openings smallint, attendance int,
    PRIMARY KEY ("yearKey", "leagueKey", "teamKey", "parkKey")
);

CREATE SCHEMA moving;

-- A join that gives rows their customer is a plain view: it passes conditions on the key through to the table's index.
CREATE VIEW moving.batting AS
    SELECT t."franchID", b.* FROM "Batting" b JOIN "Teams" t USING ("yearID", "lgID", "teamID");
CREATE VIEW moving.pitching AS
    SELECT t."franchID", p.* FROM "Pitching" p JOIN "Teams" t USING ("yearID", "lgID", "teamID");
CREATE VIEW moving.salaries AS
    SELECT t."franchID", s.* FROM "Salaries" s JOIN "Teams" t USING ("yearID", "lgID", "teamID");
CREATE VIEW moving.home_games AS
    SELECT t."franchID", h.* FROM "HomeGames" h
      JOIN "Teams" t ON (t."yearID", t."lgID", t."teamID") = (h."yearKey", h."leagueKey", h."teamKey");

-- What must be gathered from many rows first is a materialized view, with an index by customer and key: the server would
-- gather it anew for each batch. REFRESH it before every run and comparison while legacy still changes.
CREATE MATERIALIZED VIEW moving.players AS
    SELECT f."franchID", p.*
      FROM (SELECT "franchID", "playerID" FROM moving.batting
            UNION SELECT "franchID", "playerID" FROM moving.pitching
            UNION SELECT "franchID", "playerID" FROM moving.salaries) f
      JOIN "People" p USING ("playerID")
      WITH NO DATA;
CREATE UNIQUE INDEX ON moving.players ("franchID", "playerID" COLLATE "C");
CREATE MATERIALIZED VIEW moving.parks AS
    SELECT h."franchID", p.*
      FROM (SELECT DISTINCT "franchID", "parkKey" FROM moving.home_games) h JOIN "Parks" p USING ("parkKey")
      WITH NO DATA;
CREATE UNIQUE INDEX ON moving.parks ("franchID", "parkKey" COLLATE "C");

GRANT USAGE ON SCHEMA public, moving TO legacy_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public, moving TO legacy_reader;
