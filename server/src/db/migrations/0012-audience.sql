-- Whom a frozen audience counts where is read as a whole, and is one value (dispatch/attribution.ts).
CREATE TABLE audience (
  dispatch_id uuid PRIMARY KEY,
  communes    bytea NOT NULL
);
ALTER TABLE audience ALTER COLUMN communes SET STORAGE EXTERNAL;
INSERT INTO audience (dispatch_id, communes)
SELECT dispatch_id,
       string_agg(int4send(area_id) || int4send(length(residents)) || int4send(length(concerned))
                  || residents || concerned, ''::bytea ORDER BY area_id)
FROM audience_commune GROUP BY dispatch_id;
DROP TABLE audience_commune;
