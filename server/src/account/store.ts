// The only writer of the tables of agencies, accounts, people and keys.
import type { Entitlement } from "@loa/model/entitlement.ts";
import type { Bilingual } from "@loa/model/text.ts";
import type { Role } from "@loa/model/transition.ts";
import { sql } from "kysely";
import type { Db } from "../db/connection.ts";

export interface NewAgency {
  readonly id: string;
  readonly parentId: string | null;
  readonly name: Bilingual;
  readonly entitlement: Entitlement;
}

// A repeated request brings the same id; what is there already stays as it is.
export async function insertAgency(db: Db, agency: NewAgency): Promise<void> {
  await db
    .insertInto("agency")
    .values({
      id: agency.id,
      parent_id: agency.parentId,
      name_vi: agency.name.vi,
      name_en: agency.name.en,
      entitlement: JSON.stringify(agency.entitlement),
      suspended_at: null,
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
}

export async function updateAgency(
  db: Db,
  id: string,
  change: { entitlement?: Entitlement; suspended?: boolean },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("agency")
    .set({
      ...(change.entitlement && { entitlement: JSON.stringify(change.entitlement) }),
      ...(change.suspended !== undefined && {
        suspended_at: change.suspended ? sql<Date>`now()` : null,
      }),
    })
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

export interface NewAccount {
  readonly id: string;
  readonly agencyId: string;
  readonly handle: string;
  readonly name: Bilingual;
}

/** False when another account has the handle. An account is verified by being admitted. */
export async function insertAccount(db: Db, account: NewAccount): Promise<boolean> {
  const row = await db
    .insertInto("official_account")
    .values({
      id: account.id,
      agency_id: account.agencyId,
      handle: account.handle,
      name_vi: account.name.vi,
      name_en: account.name.en,
      verified_at: sql<Date>`now()`,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .executeTakeFirst();
  if (row !== undefined) return true;
  const same = await db
    .selectFrom("official_account")
    .where("id", "=", account.id)
    .where("handle", "=", account.handle)
    .select("id")
    .executeTakeFirst();
  return same !== undefined;
}

export interface NewMember {
  readonly id: string;
  readonly personId: string;
  /** Null: the person exists. */
  readonly personName: string | null;
  readonly agencyId: string;
  readonly post: Bilingual;
  readonly roles: readonly Role[];
}

/** Joins the caller's transaction where there is one. */
const inTransaction = <T>(db: Db, run: (tx: Db) => Promise<T>): Promise<T> =>
  db.isTransaction ? run(db) : db.transaction().execute(run);

/** False when the person is a member of the agency already. */
export async function insertMember(db: Db, member: NewMember): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    if (member.personName !== null)
      await tx
        .insertInto("person")
        .values({ id: member.personId, name: member.personName })
        .onConflict((conflict) => conflict.column("id").doNothing())
        .execute();
    const row = await tx
      .insertInto("member")
      .values({
        id: member.id,
        person_id: member.personId,
        agency_id: member.agencyId,
        post_vi: member.post.vi,
        post_en: member.post.en,
        roles: [...member.roles],
        revoked_at: null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning("id")
      .executeTakeFirst();
    if (row !== undefined) return true;
    const same = await tx
      .selectFrom("member")
      .where("id", "=", member.id)
      .select("id")
      .executeTakeFirst();
    return same !== undefined;
  });
}

/** Ends a membership and all of its keys; what the person did stays written. */
export async function markMemberRevoked(db: Db, id: string): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable("member")
      .set({ revoked_at: sql<Date>`coalesce(revoked_at, now())` })
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    await tx
      .updateTable("api_key")
      .set({ revoked_at: sql<Date>`now()` })
      .where("member_id", "=", id)
      .where("revoked_at", "is", null)
      .execute();
    return numUpdatedRows > 0n;
  });
}

export interface NewKey {
  readonly sha256: Uint8Array;
  readonly memberId: string | null;
  readonly gateway: string | null;
  readonly sourceId: string | null;
  readonly label: string;
}

export async function insertKey(db: Db, key: NewKey): Promise<void> {
  await db
    .insertInto("api_key")
    .values({
      sha256: key.sha256,
      member_id: key.memberId,
      gateway: key.gateway,
      source_id: key.sourceId,
      label: key.label,
      revoked_at: null,
    })
    .execute();
}

/** Revokes the key with this fingerprint; false when there is none. */
export async function markKeyRevoked(db: Db, fingerprint: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("api_key")
    .set({ revoked_at: sql<Date>`coalesce(revoked_at, now())` })
    .where(sql<string>`left(encode(sha256, 'hex'), ${fingerprint.length})`, "=", fingerprint)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}
