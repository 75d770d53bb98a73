// Devices of people in the set: those who have a phone that connects, with the tokens that their
// registration would have given them.
import { loadServerKeys } from "../../server/src/account/server-keys.ts";
import { createToken } from "../../server/src/registry/token.ts";
import type { Standing } from "@loa/model/bulletin-type.ts";
import { endpointBit } from "@loa/model/endpoint.ts";
import type { BenchInstallation } from "./installation.ts";

export interface Phone {
  readonly ordinal: number;
  readonly token: string;
}

/** The first so many of them by ordinal. */
export async function findPhones(
  { connection, folder }: BenchInstallation,
  count: number,
): Promise<Phone[]> {
  const { rows } = await connection.pool.query<{ ordinal: number; standing: Standing }>(
    `SELECT ordinal, standing FROM subscriber
      WHERE endpoint_bits & $1 <> 0 AND deleted_at IS NULL AND generation = 0
      ORDER BY ordinal LIMIT $2`,
    [endpointBit("live"), count],
  );
  const { token } = loadServerKeys(folder);
  return rows.map(({ ordinal, standing }) => ({
    ordinal,
    token: createToken(token, { standing, ordinal, generation: 0 }),
  }));
}

/** The request with which a phone opens its stream. */
export const streamRequest = ({ token }: Phone): string =>
  `GET /v1/stream HTTP/1.1\r\nHost: loa\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${token}\r\n\r\n`;
