// Device tokens: what a phone shows to prove which subscriber it is.
//
// A token is checked with the server's secret alone, without the database, so that a
// million phones can come back at once. It carries the subscriber's standing, which never changes,
// so that whoever is told by place is told by the right bulletins only; and a generation, which
// revokes every token given out before when it is raised. Processes that check tokens keep the
// few generations above 0 in memory and follow the registry's log for more.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Standing } from "@loa/model/bulletin-type.ts";
import { type Position, committedSince, readAtPosition } from "../db/commit-order.ts";
import type { Pool } from "../db/connection.ts";

/** The server's secret for tokens. `keyId` is in every token, so that keys can be replaced. */
export interface TokenKey {
  /** 1-32 characters of A-Z a-z 0-9 _ - */
  readonly keyId: string;
  readonly secret: Uint8Array;
}

/** What a valid token says. Whether its generation is still current is another question. */
export interface TokenClaim extends Holder {
  /** Public, unless this is a synthetic person of exercises. */
  readonly standing: Standing;
}

/** One of the tokens that a subscriber was given. */
export interface Holder {
  readonly ordinal: number;
  readonly generation: number;
}

/** Longest text that is looked at: the form below with its longest parts takes 114. */
export const TOKEN_CHARS_MAX = 128;
const FORM =
  /^(loa1\.([A-Za-z0-9_-]{1,32})\.(public|exercise)\.(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,4}))\.([A-Za-z0-9_-]{43})$/;

/**
 * `loa1.<keyId>.<standing>.<ordinal>.<generation>.<MAC>`, where the MAC is the base64url
 * HMAC-SHA256 over all before the last dot.
 */
export function createToken(key: TokenKey, { standing, ordinal, generation }: TokenClaim): string {
  const claim = `loa1.${key.keyId}.${standing}.${ordinal}.${generation}`;
  return `${claim}.${sign(key, claim).toString("base64url")}`;
}

/** What the token says, or undefined when none of the keys made it. Takes constant time per key. */
export function verifyToken(keys: readonly TokenKey[], text: string): TokenClaim | undefined {
  if (text.length > TOKEN_CHARS_MAX) return undefined;
  const match = FORM.exec(text);
  if (!match) return undefined;
  const [, claim, keyId, standing, ordinal, generation, given] = match as unknown as string[];
  const key = keys.find((candidate) => candidate.keyId === keyId);
  if (!key) return undefined;
  const mac = Buffer.from(given as string, "base64url");
  const expected = sign(key, claim as string);
  // 43 base64url characters hold 258 bits; the two spare ones must not make a second spelling.
  if (mac.length !== expected.length || mac.toString("base64url") !== given) return undefined;
  if (!timingSafeEqual(mac, expected)) return undefined;
  return {
    standing: standing as Standing,
    ordinal: Number(ordinal),
    generation: Number(generation),
  };
}

const sign = (key: TokenKey, claim: string): Buffer =>
  createHmac("sha256", key.secret).update(claim).digest();

/** The generations that are in force. */
export interface TokenGenerations {
  /** Whether a verified claim has not been revoked since. */
  readonly isCurrent: (holder: Holder) => boolean;
  /**
   * Learns every revocation that was committed before the call; answers the ordinals whose tokens
   * were revoked since the last reading, so that their open sockets can be closed.
   */
  catchUp(): Promise<number[]>;
}

/** Reads the generations above 0. Cost grows with revocations, not with subscribers. */
export async function openTokenGenerations(pool: Pool): Promise<TokenGenerations> {
  const raised = new Map<number, number>();
  let position: Position = await readAtPosition(pool, async (client, now) => {
    const { rows } = await client.query<Holder>(
      "SELECT ordinal, generation FROM raised_generation",
    );
    for (const row of rows) raised.set(row.ordinal, row.generation);
    return now;
  });
  let reading: Promise<unknown> = Promise.resolve();

  async function readRevocations(): Promise<number[]> {
    const { rows, now } = await readAtPosition(pool, async (client, now) => {
      // A change that raises nobody's generation is none of ours; deletion raises it too.
      const { rows } = await client.query<Holder>(
        `SELECT r.ordinal, r.generation
           FROM registry_change c JOIN raised_generation r ON r.ordinal = c.first_ordinal
          WHERE ${committedSince("$1")} AND c.kind = 'subscriber'`,
        [position],
      );
      return { rows, now };
    });
    const revoked = rows.filter((row) => raised.get(row.ordinal) !== row.generation);
    for (const row of revoked) raised.set(row.ordinal, row.generation);
    position = now;
    return [...new Set(revoked.map((row) => row.ordinal))];
  }

  return {
    isCurrent: ({ ordinal, generation }) => (raised.get(ordinal) ?? 0) === generation,
    catchUp() {
      // One at a time, so that an older reading never overwrites a newer one.
      const mine = reading.then(readRevocations);
      reading = mine.catch(() => {});
      return mine;
    },
  };
}
