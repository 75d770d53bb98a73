// Reads bulletins and what belongs to them. A bulletin past its expiry is shown as expired from
// that instant on, whether or not the sweep has passed by.
import type { BulletinContent, MsgType } from "@loa/model/bulletin.ts";
import { Problem } from "@loa/model/problem.ts";
import type { ChainStep } from "@loa/model/chain-step.ts";
import type { ResolvedTarget } from "@loa/model/target.ts";
import type { BulletinState } from "@loa/model/transition.ts";
import type { Sql } from "./store.ts";

export interface Bulletin {
  readonly id: string;
  readonly agencyId: string;
  readonly accountId: string;
  readonly standingOrderId: string | null;
  readonly msgType: MsgType;
  readonly step: ChainStep;
  readonly state: BulletinState;
  readonly version: number;
  readonly content: BulletinContent;
  readonly referenceIds: readonly string[];
  /** CAP's triples of messages that this installation does not have. */
  readonly unknownReferences: readonly string[];
  readonly createdAt: Date;
  /** SHA-256 of the approval text, since it was submitted. */
  readonly hash: Buffer | null;
  readonly identifier: string | null;
  readonly issuedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly signature: Buffer | null;
  readonly keyId: string | null;
}

/** A bulletin as it was read. */
export interface SeenBulletin extends Bulletin {
  /** Another one after every write of the row. */
  readonly revision: string;
}

/** What a bulletin is that replaces nothing. */
export const FIRST_OF_CHAIN = {
  msgType: "Alert",
  step: "alert",
  referenceIds: [],
  unknownReferences: [],
} as const satisfies Partial<Bulletin>;

export const BULLETIN_COLUMNS = `b.id, b.agency_id AS "agencyId", b.account_id AS "accountId",
  b.standing_order_id AS "standingOrderId", b.msg_type AS "msgType", b.state, b.version, b.content,
  b.reference_ids AS "referenceIds", b.step, b.unknown_references AS "unknownReferences", b.created_at AS "createdAt", b.hash, b.identifier,
  b.issued_at AS "issuedAt", b.expires_at AS "expiresAt", b.signature, b.key_id AS "keyId"`;

const SHOWN_COLUMNS = BULLETIN_COLUMNS.replace(
  "b.state,",
  "CASE WHEN b.state = 'issued' AND b.expires_at <= now() THEN 'expired' ELSE b.state END AS state,",
);

const unknown = (id: string): Problem =>
  new Problem("bulletin-unknown", `There is no bulletin ${id} that you may see.`);

/** As people see it. @throws {Problem} bulletin-unknown */
export async function loadBulletin(sql: Sql, id: string): Promise<SeenBulletin> {
  const { rows } = await sql.query<SeenBulletin>(
    `SELECT ${SHOWN_COLUMNS}, b.xmin::text AS revision FROM bulletin b WHERE b.id = $1`,
    [id],
  );
  if (rows[0] === undefined) throw unknown(id);
  return rows[0];
}

/**
 * What the target of a bulletin came down to when it was submitted, or null. Apart from the rest,
 * because those of a country are thousands and few readers want them.
 */
export async function readResolved(sql: Sql, id: string): Promise<ResolvedTarget | null> {
  const { rows } = await sql.query<{ resolved: ResolvedTarget | null }>(
    "SELECT resolved FROM bulletin WHERE id = $1",
    [id],
  );
  return rows[0]?.resolved ?? null;
}

/** As it is, and nobody else may change it before this transaction ends. */
export async function lockBulletin(tx: Sql, id: string): Promise<Bulletin> {
  const [bulletin] = await lockBulletins(tx, [id]);
  if (bulletin === undefined) throw unknown(id);
  return bulletin;
}

/** The same for one that was seen: it is read again only if it may differ. */
export async function lockSeen(tx: Sql, seen: SeenBulletin): Promise<Bulletin> {
  const { rows } = await tx.query<Pick<SeenBulletin, "state" | "revision">>(
    "SELECT state, xmin::text AS revision FROM bulletin WHERE id = $1 FOR UPDATE",
    [seen.id],
  );
  const [row] = rows;
  return row?.revision === seen.revision
    ? { ...seen, state: row.state }
    : lockBulletin(tx, seen.id);
}

/** Locks several, always in the order of their ids, so that two transactions cannot wait in a circle. */
export async function lockBulletins(tx: Sql, ids: readonly string[]): Promise<Bulletin[]> {
  if (ids.length === 0) return [];
  const { rows } = await tx.query<Bulletin>(
    `SELECT ${BULLETIN_COLUMNS} FROM bulletin b WHERE b.id = ANY($1::uuid[]) ORDER BY b.id FOR UPDATE`,
    [ids],
  );
  return rows;
}

export interface BulletinFilter {
  /** Drafts are seen by these agencies only: the caller's own and those directly below it. */
  readonly agencyIds: readonly string[];
  readonly state?: BulletinState | undefined;
  readonly incidentId?: string | undefined;
  readonly agencyId?: string | undefined;
  /** Id of the last bulletin of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function selectBulletins(sql: Sql, filter: BulletinFilter): Promise<Bulletin[]> {
  const { rows } = await sql.query<Bulletin>(
    `SELECT * FROM (
       SELECT ${SHOWN_COLUMNS} FROM bulletin b
       WHERE (b.issued_at IS NOT NULL OR b.agency_id = ANY($1::uuid[]))
         AND ($2::uuid IS NULL OR b.incident_id = $2)
         AND ($3::uuid IS NULL OR b.agency_id = $3)
         AND ($4::uuid IS NULL OR (b.created_at, b.id) <
              (SELECT a.created_at, a.id FROM bulletin a WHERE a.id = $4))) shown
     WHERE ($5::text IS NULL OR shown.state = $5)
     ORDER BY shown."createdAt" DESC, shown.id DESC LIMIT $6`,
    [
      filter.agencyIds,
      filter.incidentId ?? null,
      filter.agencyId ?? null,
      filter.after ?? null,
      filter.state ?? null,
      filter.limit,
    ],
  );
  return rows;
}

/** One line of a bulletin's history. */
export interface BulletinEvent {
  readonly at: Date;
  readonly action: string;
  readonly version: number;
  readonly personId: string | null;
  readonly personName: string | null;
  readonly reason: string | null;
}

export async function selectEvents(sql: Sql, bulletinId: string): Promise<BulletinEvent[]> {
  const { rows } = await sql.query<BulletinEvent>(
    `SELECT e.at, e.action, e.version, e.person_id AS "personId", p.name AS "personName", e.reason
     FROM bulletin_event e LEFT JOIN person p ON p.id = e.person_id
     WHERE e.bulletin_id = $1 ORDER BY e.id`,
    [bulletinId],
  );
  return rows;
}

/**
 * Persons who wrote, edited or submitted any version. They are compared as persons: another
 * membership or key of the same human being changes nothing.
 */
export async function selectParticipants(sql: Sql, bulletinId: string): Promise<Set<string>> {
  const { rows } = await sql.query<{ personId: string }>(
    `SELECT DISTINCT person_id AS "personId" FROM bulletin_event
     WHERE bulletin_id = $1 AND action IN ('create', 'edit', 'submit') AND person_id IS NOT NULL`,
    [bulletinId],
  );
  return new Set(rows.map((row) => row.personId));
}

/** The bulletin in force that updated or cancelled this one, if any. */
export async function selectSuccessor(sql: Sql, id: string): Promise<string | undefined> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT id FROM bulletin WHERE reference_ids @> ARRAY[$1::uuid] AND issued_at IS NOT NULL
     ORDER BY issued_at DESC LIMIT 1`,
    [id],
  );
  return rows[0]?.id;
}
