// The front door of agencies and their official accounts (members are in member.ts, keys in
// api-key.ts). The platform operator admits them; an agency never gets more than the one above.
import { checkNarrower, type Entitlement } from "@loa/model/entitlement.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Bilingual } from "@loa/model/text.ts";
import type { Bus } from "../bus/bus.ts";
import type { Db } from "../db/connection.ts";
import { newId } from "../db/id.ts";
import { codeInsideBy, type PlaceLookup } from "./jurisdiction.ts";
import { checkName, refuse } from "./name.ts";
import { insertAccount, insertAgency, updateAgency } from "./store.ts";

/** Handles are read aloud and typed: lower-case letters, digits, dot and hyphen. */
export const HANDLE_PATTERN = /^[a-z0-9](?:[a-z0-9.-]{0,60}[a-z0-9])$/u;
export interface AccountDeps {
  readonly db: Db;
  readonly bus: Pick<Bus, "publish">;
  readonly places: () => PlaceLookup;
}

export interface Agency {
  readonly id: string;
  readonly parentId: string | null;
  readonly name: Bilingual;
  readonly entitlement: Entitlement;
  readonly suspended: boolean;
}

export interface OfficialAccount {
  readonly id: string;
  /** Small and dense; what follows are stored by. */
  readonly ordinal: number;
  readonly agencyId: string;
  readonly handle: string;
  readonly name: Bilingual;
  readonly verified: boolean;
}

// -- Agencies ----------------------------------------------------------------------------------

/** @throws {Problem} agency-unknown for the parent, not-entitled when it would exceed the parent. */
export async function createAgency(
  deps: AccountDeps,
  agency: Omit<Agency, "id" | "suspended">,
  id: string = newId(),
): Promise<Agency> {
  refuse(checkName("/name", agency.name));
  await checkEntitlementOf(deps, agency.parentId, agency.entitlement);
  await insertAgency(deps.db, { ...agency, id });
  return readAgency(deps.db, id);
}

/** Changes what an agency may do, or suspends it; its bulletins are checked again at issue. */
export async function changeAgency(
  deps: AccountDeps,
  id: string,
  change: { entitlement?: Entitlement; suspended?: boolean },
): Promise<Agency> {
  const { parentId } = await readAgency(deps.db, id);
  if (change.entitlement !== undefined)
    await checkEntitlementOf(deps, parentId, change.entitlement);
  await updateAgency(deps.db, id, change);
  deps.bus.publish("registry.changed", { what: "agency" });
  return readAgency(deps.db, id);
}

async function checkEntitlementOf(
  deps: AccountDeps,
  parentId: string | null,
  entitlement: Entitlement,
): Promise<void> {
  const places = deps.places();
  const unknown = entitlement.areas.filter((code) => places.byCode(code) === undefined);
  if (unknown.length > 0)
    throw new Problem(
      "area-unknown",
      `No active area pack has ${unknown.join(", ")}.`,
      unknown.map((code) => ({ at: "/entitlement/areas", what: `${code} is not known` })),
    );
  if (parentId === null) return;
  const parent = await readAgency(deps.db, parentId);
  const faults = checkNarrower(entitlement, parent.entitlement, codeInsideBy(places));
  if (faults.length > 0)
    throw new Problem("not-entitled", "An agency gets no more than the one above it.", faults);
}

/** @throws {Problem} agency-unknown */
export async function readAgency(db: Db, id: string): Promise<Agency> {
  const row = await db.selectFrom("agency").where("id", "=", id).selectAll().executeTakeFirst();
  if (row === undefined) throw new Problem("agency-unknown", `There is no agency ${id}.`);
  return toAgency(row);
}

export async function listAgencies(db: Db, limit: number, after?: string): Promise<Agency[]> {
  const rows = await db
    .selectFrom("agency")
    .$if(after !== undefined, (query) => query.where("id", ">", after as string))
    .selectAll()
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map(toAgency);
}

const toAgency = (row: {
  id: string;
  parent_id: string | null;
  name_vi: string;
  name_en: string;
  entitlement: unknown;
  suspended_at: Date | null;
}): Agency => ({
  id: row.id,
  parentId: row.parent_id,
  name: { vi: row.name_vi, en: row.name_en },
  entitlement: row.entitlement as Entitlement,
  suspended: row.suspended_at !== null,
});

// -- Official accounts -------------------------------------------------------------------------

/** @throws {Problem} agency-unknown, handle-taken, request-invalid */
export async function createAccount(
  deps: AccountDeps,
  account: { agencyId: string; handle: string; name: Bilingual },
  id: string = newId(),
): Promise<OfficialAccount> {
  const faults = checkName("/name", account.name);
  if (!HANDLE_PATTERN.test(account.handle))
    faults.push({ at: "/handle", what: "wants 2 to 62 of a-z, 0-9, dot and hyphen" });
  refuse(faults);
  await readAgency(deps.db, account.agencyId);
  if (!(await insertAccount(deps.db, { ...account, id })))
    throw new Problem("handle-taken", `Another account is called ${account.handle}.`);
  return readAccount(deps.db, id);
}

/** @throws {Problem} account-unknown */
export async function readAccount(db: Db, id: string): Promise<OfficialAccount> {
  const row = await db
    .selectFrom("official_account")
    .where("id", "=", id)
    .selectAll()
    .executeTakeFirst();
  if (row === undefined) throw new Problem("account-unknown", `There is no account ${id}.`);
  return toAccount(row);
}

export async function listAccounts(
  db: Db,
  limit: number,
  after?: string,
): Promise<OfficialAccount[]> {
  const rows = await db
    .selectFrom("official_account")
    .$if(after !== undefined, (query) => query.where("id", ">", after as string))
    .selectAll()
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map(toAccount);
}

const toAccount = (row: {
  id: string;
  ordinal: number;
  agency_id: string;
  handle: string;
  name_vi: string;
  name_en: string;
  verified_at: Date | null;
}): OfficialAccount => ({
  id: row.id,
  ordinal: row.ordinal,
  agencyId: row.agency_id,
  handle: row.handle,
  name: { vi: row.name_vi, en: row.name_en },
  verified: row.verified_at !== null,
});
