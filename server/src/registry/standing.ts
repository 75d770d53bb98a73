// Which ordinals are synthetic people of exercises, in memory: whoever is told by place must
// be of the standing that the bulletin's type may reach, without a look at the database.
import type { Standing } from "@loa/model/bulletin-type.ts";
import { committedSince, type Position, readAtPosition } from "../db/commit-order.ts";
import type { Pool } from "../db/connection.ts";
import type { OrdinalRange } from "./subscriber-state.ts";

const PAGE_BITS = 16;
const PAGE_BYTES = 8_192;
/** Ordinals that are fetched at a time. */
const FETCH = 50_000;

export interface Standings {
  standingOf(ordinal: number): Standing;
  /** Learns everybody who was registered by a transaction committed before the call. */
  catchUp(): Promise<void>;
}

/** Reads the synthetic people. One bit each; a registry of the public costs nothing. */
export async function openStandings(pool: Pool): Promise<Standings> {
  const pages = new Map<number, Uint8Array>();
  const add = (ordinal: number) => {
    const page = pages.get(ordinal >>> PAGE_BITS) ?? new Uint8Array(PAGE_BYTES);
    pages.set(ordinal >>> PAGE_BITS, page);
    const low = ordinal & 0xffff;
    page[low >>> 3] = (page[low >>> 3] as number) | (1 << (low & 7));
  };
  const read = async (
    client: Parameters<Parameters<typeof readAtPosition>[1]>[0],
    range: string,
  ) => {
    await client.query(
      `DECLARE exercise NO SCROLL CURSOR FOR
         SELECT ordinal FROM subscriber WHERE standing = 'exercise' AND ${range}`,
    );
    for (;;) {
      const { rows } = await client.query<{ ordinal: number }>(`FETCH ${FETCH} FROM exercise`);
      for (const { ordinal } of rows) add(ordinal);
      if (rows.length < FETCH) break;
    }
    await client.query("CLOSE exercise");
  };
  let position: Position = await readAtPosition(pool, async (client, now) => {
    await read(client, "true");
    return now;
  });
  let reading: Promise<unknown> = Promise.resolve();

  const readNew = async () => {
    position = await readAtPosition(pool, async (client, now) => {
      const { rows } = await client.query<{
        kind: string;
        first: number;
        after: OrdinalRange[] | null;
      }>(
        `SELECT kind, first_ordinal AS first, after FROM registry_change
          WHERE ${committedSince("$1")} AND (kind = 'range' OR before IS NULL)`,
        [position],
      );
      for (const { kind, first, after } of rows)
        for (const [from, to] of kind === "range" ? (after ?? []) : [[first, first] as const])
          await read(client, `ordinal BETWEEN ${from} AND ${to}`);
      return now;
    });
  };
  return {
    standingOf(ordinal) {
      const page = pages.get(ordinal >>> PAGE_BITS);
      const low = ordinal & 0xffff;
      const isSynthetic = page && ((page[low >>> 3] as number) & (1 << (low & 7))) !== 0;
      return isSynthetic ? "exercise" : "public";
    },
    catchUp() {
      const mine = reading.then(readNew);
      reading = mine.catch(() => {});
      return mine;
    },
  };
}
