// The whole registry as CSV, for the operator who must hand it over or audit it. PostgreSQL
// writes it and it passes through, so that 33 million people take no more memory than one.
import { ENDPOINT_KINDS, endpointBit } from "@loa/model/endpoint.ts";
import { to as copyTo } from "pg-copy-streams";
import type { Pool } from "../db/connection.ts";

// A commune that stands among the places because of one of its villages is not named twice.
const PLACES = `array_to_string(ARRAY(SELECT a.code FROM area a
  WHERE a.id = ANY(s.place_area_ids) AND NOT EXISTS (
    SELECT FROM area v WHERE v.id = ANY(s.place_area_ids) AND v.parent_id = a.id)
  ORDER BY a.code), ';')`;
const FOLLOWS = `array_to_string(ARRAY(SELECT o.handle FROM official_account o
  WHERE o.ordinal = ANY(s.follow_ordinals) ORDER BY o.handle), ';')`;
// Kinds by their bits, each with its address if it has one.
const ENDPOINTS = `array_to_string(ARRAY[${ENDPOINT_KINDS.map(
  (kind) => `CASE WHEN s.endpoint_bits & ${endpointBit(kind)} <> 0 THEN '${kind}' || coalesce(':' ||
    (SELECT address FROM endpoint e WHERE e.ordinal = s.ordinal AND e.kind = '${kind}'), '') END`,
).join(", ")}], ';')`;

/** The columns of a list of subscribers, by id instead of reference, and the basis. */
const SELECT = `SELECT s.id, s.kind, s.standing, home.code AS home,
  CASE WHEN s.place_area_ids <> '{}' THEN ${PLACES} END AS places,
  CASE WHEN s.follow_ordinals <> '{}' THEN ${FOLLOWS} END AS follows,
  ${ENDPOINTS} AS endpoints, c.version AS consent_version,
  to_char(s.consent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS consent_at,
  c.basis AS consent_basis
FROM subscriber s JOIN consent c ON c.id = s.consent_id
  LEFT JOIN area home ON home.id = coalesce(s.home_village_id, s.home_area_id)
WHERE s.id IS NOT NULL ORDER BY s.ordinal`;

/** Writes every subscriber, by ordinal, as of one instant. Stops when the reader stops. */
export async function* exportSubscribers(pool: Pool): AsyncGenerator<Buffer> {
  const client = await pool.connect();
  let isDone = false;
  try {
    const stream = client.query(copyTo(`COPY (${SELECT}) TO STDOUT (FORMAT csv, HEADER)`));
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
    isDone = true;
  } finally {
    // Whoever stops reading leaves the COPY unfinished; such a connection cannot be used again.
    client.release(!isDone);
  }
}
