/**
 * The first format of the store.
 *
 * Positions are handed out under the lock of the one row of `log_end`, which is held until the commit is visible. So
 * transactions commit in the order of their positions, however many processes write: whoever sees a position sees every
 * one before it, and nobody who follows can skip one that commits late. A sequence would not give that.
 */
export const format1 = `
CREATE TABLE settings (name text PRIMARY KEY, value text NOT NULL);

CREATE TABLE events (
  position bigint PRIMARY KEY,
  stream text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  at bigint NOT NULL,
  type text NOT NULL,
  data json NOT NULL,
  meta json NOT NULL,
  CONSTRAINT events_version_once UNIQUE (stream, version)
);
CREATE TABLE seals (position bigint PRIMARY KEY, seal bytea NOT NULL);
CREATE TABLE log_end (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  position bigint NOT NULL,
  seal bytea NOT NULL
);
INSERT INTO log_end (position, seal) VALUES (0, decode(repeat('00', 32), 'hex'));

CREATE TABLE snapshots (
  stream text COLLATE "C", schema text COLLATE "C", version bigint NOT NULL, state text NOT NULL,
  PRIMARY KEY (stream, schema)
);
CREATE TABLE checkpoints (name text COLLATE "C" PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE parked (
  reactor text COLLATE "C", position bigint, details text NOT NULL, PRIMARY KEY (reactor, position)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Events are never changed or deleted: they are what happened.';
END $$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Stores a batch of appends. Of each append: its stream and the version expected of it. Of each fact: the number of
-- its append, counted from 1, its stream, its version and what is to be stored. Within a segment no stream comes twice,
-- so that a segment is one statement; the next one sees what it stored. Answers where the log ended before, and which
-- of the appends met the version they expected. The others leave no trace.
CREATE FUNCTION append_batch(
  streams text[], expected bigint[], segment_ends integer[],
  owners integer[], fact_streams text[], versions bigint[], types text[], datas text[], metas text[], at_ms bigint,
  OUT log_start bigint, OUT met boolean[]
) LANGUAGE plpgsql AS $$
DECLARE
  last_position bigint;
  last_seal bytea;
  segment_start integer := 1;
  segment_end integer;
  segment_met boolean[];
  segment_last bigint;
  segment_text text;
  text_to_seal text := '';
BEGIN
  SELECT l.position, l.seal INTO STRICT log_start, last_seal FROM log_end l FOR UPDATE;
  last_position := log_start;
  met := '{}';
  FOREACH segment_end IN ARRAY segment_ends LOOP
    SELECT array_agg(a.version = coalesce(
        (SELECT e.version FROM events e WHERE e.stream = a.stream ORDER BY e.version DESC LIMIT 1), 0) ORDER BY a.number)
      INTO segment_met
      FROM unnest(streams, expected) WITH ORDINALITY AS a (stream, version, number)
      WHERE a.number BETWEEN segment_start AND segment_end;
    met := met || segment_met;

    WITH stored AS (
      INSERT INTO events AS e (position, stream, version, at, type, data, meta)
      SELECT last_position + row_number() OVER (ORDER BY f.number),
             f.stream, f.version, at_ms, f.type, f.data::json, f.meta::json
        FROM unnest(owners, fact_streams, versions, types, datas, metas)
          WITH ORDINALITY AS f (owner, stream, version, type, data, meta, number)
        WHERE f.owner BETWEEN segment_start AND segment_end AND met[f.owner]
      RETURNING e.*
    )
    SELECT max(s.position),
           string_agg(concat_ws(E'\\n', s.stream, s.version, s.type, s.data, s.meta, ''), '' ORDER BY s.position)
      INTO segment_last, segment_text FROM stored s;
    last_position := coalesce(segment_last, last_position);
    text_to_seal := text_to_seal || coalesce(segment_text, '');
    segment_start := segment_end + 1;
  END LOOP;

  IF last_position > log_start THEN
    last_seal := sha256(convert_to(
      concat_ws(E'\\n', encode(last_seal, 'hex'), log_start + 1, at_ms, text_to_seal), 'UTF8'));
    INSERT INTO seals VALUES (last_position, last_seal);
    UPDATE log_end l SET position = last_position, seal = last_seal;
    PERFORM pg_notify('remuda_' || current_schema(), last_position::text);
  END IF;
END $$;
`
