/**
 * Fences. Raising one and appending behind one take the same lock, that of `log_end`, and look at the fences only when
 * they have it. So an append sees every fence that was raised before it commits, or commits before it is raised.
 */
export const format2 = `
CREATE TABLE fences (name text COLLATE "C" PRIMARY KEY, raised bigint NOT NULL);

CREATE FUNCTION raise_fence(fence text, OUT token bigint) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM log_end FOR UPDATE;
  INSERT INTO fences AS f VALUES (fence, 1)
    ON CONFLICT (name) DO UPDATE SET raised = f.raised + 1 RETURNING f.raised INTO STRICT token;
END $$;

-- Stores a batch of appends as append_batch does, some of which need fences. Of each fence: the number of the append
-- that needs it, its name and its token. Says of each append, too, which fence keeps it off, counted from 1. None of
-- these is stored, since no stream is ever at version -1.
CREATE FUNCTION append_fenced_batch(
  streams text[], expected bigint[], segment_ends integer[],
  owners integer[], fact_streams text[], versions bigint[], types text[], datas text[], metas text[], at_ms bigint,
  fence_owners integer[], fence_names text[], fence_tokens bigint[],
  OUT log_start bigint, OUT met boolean[], OUT kept_off integer[]
) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM log_end FOR UPDATE;
  SELECT array_agg((
      SELECT min(f.number) FROM unnest(fence_owners, fence_names, fence_tokens)
          WITH ORDINALITY AS f (owner, name, token, number)
        JOIN fences USING (name) WHERE f.owner = a.number AND fences.raised > f.token
    ) ORDER BY a.number)
    INTO kept_off FROM generate_subscripts(streams, 1) AS a (number);
  SELECT array_agg(CASE WHEN kept_off[a.number] IS NULL THEN a.version ELSE -1 END ORDER BY a.number)
    INTO expected FROM unnest(expected) WITH ORDINALITY AS a (version, number);
  SELECT b.log_start, b.met INTO STRICT log_start, met FROM append_batch(
    streams, expected, segment_ends, owners, fact_streams, versions, types, datas, metas, at_ms) AS b;
END $$;
`
