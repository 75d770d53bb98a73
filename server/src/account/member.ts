// Members: persons who work for an agency in a post, with roles. Persons are what is compared when
// two people must agree, so one human being has one person, whatever memberships they hold.
// An operator never writes or approves a bulletin: who hands out keys cannot warn anybody.
import { Problem } from "@loa/model/problem.ts";
import { type Bilingual, textFault } from "@loa/model/text.ts";
import type { Role } from "@loa/model/transition.ts";
import type { Db } from "../db/connection.ts";
import { newId } from "../db/id.ts";
import { type AccountDeps, readAgency } from "./account.ts";
import { ACCOUNT_NAME_MAX, checkName, refuse } from "./name.ts";
import { insertMember, markMemberRevoked } from "./store.ts";

/** Roles that take part in a bulletin; none of them goes with `operator` in one person. */
export const BULLETIN_ROLES = ["author", "approver", "duty"] as const satisfies readonly Role[];

export interface Member {
  readonly id: string;
  readonly personId: string;
  readonly personName: string;
  readonly agencyId: string;
  readonly post: Bilingual;
  readonly roles: readonly Role[];
  readonly revoked: boolean;
}

export interface MemberWish {
  readonly agencyId: string;
  readonly post: Bilingual;
  readonly roles: readonly Role[];
  /** A person who is known already, or the name of one who is not. */
  readonly person: { readonly id: string } | { readonly name: string };
}

/** @throws {Problem} agency-unknown, member-unknown (no such person), roles-conflict */
export async function createMember(
  deps: AccountDeps,
  wish: MemberWish,
  id: string = newId(),
): Promise<Member> {
  const faults = checkName("/post", wish.post);
  const { person } = wish;
  if ("name" in person) {
    const what = textFault(person.name, { max: ACCOUNT_NAME_MAX, lines: false });
    if (what !== undefined) faults.push({ at: "/person/name", what });
  }
  refuse(faults);
  await readAgency(deps.db, wish.agencyId);
  // A repeat of the request must find the same person, so their id follows from the member's.
  const personId = "id" in person ? person.id : id;
  await refuseMixedRoles(deps.db, personId, "id" in person, wish.roles);
  const personName = "name" in person ? person.name : null;
  if (!(await insertMember(deps.db, { ...wish, id, personId, personName })))
    throw new Problem("roles-conflict", "This person is a member of that agency already.");
  return readMember(deps.db, id);
}

async function refuseMixedRoles(
  db: Db,
  personId: string,
  mustExist: boolean,
  roles: readonly Role[],
): Promise<void> {
  if (mustExist) {
    const known = await db
      .selectFrom("person")
      .where("id", "=", personId)
      .select("id")
      .executeTakeFirst();
    if (known === undefined) throw new Problem("member-unknown", `There is no person ${personId}.`);
  }
  const rows = await db
    .selectFrom("member")
    .where("person_id", "=", personId)
    .where("revoked_at", "is", null)
    .select("roles")
    .execute();
  const held = new Set([...roles, ...rows.flatMap((row) => row.roles)]);
  const mixed = BULLETIN_ROLES.filter((role) => held.has(role));
  if (held.has("operator") && mixed.length > 0)
    throw new Problem(
      "roles-conflict",
      "A platform operator hands out keys and so takes no part in bulletins.",
      [{ at: "/roles", what: `operator together with ${mixed.join(", ")}` }],
    );
}

/** Ends a membership and its keys at once. @throws {Problem} member-unknown */
export async function revokeMember(deps: AccountDeps, id: string): Promise<Member> {
  if (!(await markMemberRevoked(deps.db, id)))
    throw new Problem("member-unknown", `There is no member ${id}.`);
  deps.bus.publish("registry.changed", { what: "keys" });
  return readMember(deps.db, id);
}

/** @throws {Problem} member-unknown */
export async function readMember(db: Db, id: string): Promise<Member> {
  const [member] = await selectMembers(db, 1, { id });
  if (member === undefined) throw new Problem("member-unknown", `There is no member ${id}.`);
  return member;
}

export const listMembers = (
  db: Db,
  limit: number,
  where: { agencyId?: string; after?: string },
): Promise<Member[]> => selectMembers(db, limit, where);

async function selectMembers(
  db: Db,
  limit: number,
  where: { id?: string; agencyId?: string; after?: string },
): Promise<Member[]> {
  const rows = await db
    .selectFrom("member")
    .innerJoin("person", "person.id", "member.person_id")
    .$if(where.id !== undefined, (query) => query.where("member.id", "=", where.id as string))
    .$if(where.agencyId !== undefined, (query) =>
      query.where("member.agency_id", "=", where.agencyId as string),
    )
    .$if(where.after !== undefined, (query) => query.where("member.id", ">", where.after as string))
    .selectAll("member")
    .select("person.name as personName")
    .orderBy("member.id")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    personId: row.person_id,
    personName: row.personName,
    agencyId: row.agency_id,
    post: { vi: row.post_vi, en: row.post_en },
    roles: row.roles as Role[],
    revoked: row.revoked_at !== null,
  }));
}
