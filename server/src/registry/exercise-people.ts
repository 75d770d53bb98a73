// Synthetic people of exercises by their references, for whoever plays their devices. The
// public is never found here: only a person's own device speaks for that person.
import type { Pool } from "../db/connection.ts";
import { openIdTexts } from "./imported-id.ts";

export interface ExercisePerson {
  readonly ref: string;
  readonly id: string;
  readonly ordinal: number;
  readonly generation: number;
}

/** In the order of the references; undefined for who is not there. */
export async function findExercisePeople(
  pool: Pool,
  source: string,
  refs: readonly string[],
): Promise<(ExercisePerson | undefined)[]> {
  const ids = refs.map(openIdTexts(source));
  const { rows } = await pool.query<Omit<ExercisePerson, "ref">>(
    `SELECT id, ordinal, generation FROM subscriber
      WHERE id = ANY($1::uuid[]) AND standing = 'exercise'`,
    [ids],
  );
  const found = new Map(rows.map((row) => [row.id, row]));
  return refs.map((ref, index) => {
    const person = found.get(ids[index] as string);
    return person && { ref, ...person };
  });
}
