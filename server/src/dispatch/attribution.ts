// Whom a frozen audience counts where: for each commune its residents and its concerned, as portable
// Roaring bitmaps over ordinals. Whoever reads them reads all of a dispatch, so they are one value: a
// row for each commune costs a warning to a country thousands of rows and index entries at its issue.
//
// One commune after the other, ascending by id: three int32 (id, bytes of residents, bytes of
// concerned; big endian), then the two bitmaps.
import type pg from "pg";
import type { Attribution } from "../audience/freeze.ts";

const RECORD_HEADER = 12;

export function packAttribution(communes: readonly Attribution[]): Buffer {
  const lengthOf = ({ residents, concerned }: Attribution) =>
    RECORD_HEADER + residents.length + concerned.length;
  const bytes = Buffer.alloc(communes.reduce((sum, commune) => sum + lengthOf(commune), 0));
  let at = 0;
  for (const commune of communes.toSorted((a, b) => a.areaId - b.areaId)) {
    const { areaId, residents, concerned } = commune;
    bytes.writeInt32BE(areaId, at);
    bytes.writeInt32BE(residents.length, at + 4);
    bytes.writeInt32BE(concerned.length, at + 8);
    bytes.set(residents, at + RECORD_HEADER);
    bytes.set(concerned, at + RECORD_HEADER + residents.length);
    at += lengthOf(commune);
  }
  return bytes;
}

/** @throws {Error} when the bytes end within a commune. */
export function unpackAttribution(bytes: Buffer): Attribution[] {
  const communes: Attribution[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + RECORD_HEADER > bytes.length) throw new Error("an attribution ends within a header");
    const from = at + RECORD_HEADER;
    const between = from + bytes.readInt32BE(at + 4);
    const to = between + bytes.readInt32BE(at + 8);
    if (to > bytes.length) throw new Error("an attribution ends within a commune");
    communes.push({
      areaId: bytes.readInt32BE(at),
      residents: bytes.subarray(from, between),
      concerned: bytes.subarray(between, to),
    });
    at = to;
  }
  return communes;
}

/** Those of some dispatches, by dispatch and commune; nothing of one that was reduced. */
export async function readAttribution(
  client: Pick<pg.ClientBase, "query">,
  dispatchIds: readonly string[],
): Promise<Attribution[]> {
  const { rows } = await client.query<{ communes: Buffer }>(
    "SELECT communes FROM audience WHERE dispatch_id = ANY($1::uuid[]) ORDER BY dispatch_id",
    [dispatchIds],
  );
  return rows.flatMap(({ communes }) => unpackAttribution(communes));
}
