// Who acts: a member with their person and roles, or the gateway of one channel. Found by key,
// with a small cache that a revocation empties at once over the bus and that runs out by itself
// in case the bus lost the message.
import { Problem } from "@loa/model/problem.ts";
import type { Role, Standpoint } from "@loa/model/transition.ts";
import type { Bus } from "../bus/bus.ts";
import type { Db } from "../db/connection.ts";
import { hashApiKey, isApiKey } from "./api-key.ts";

/** Holders kept; protects memory. More members than this work at once in no installation. */
export const HOLDER_CACHE_MAX = 1_000;
/** How long a revoked key may still work in a process that missed the message. */
export const HOLDER_CACHE_MS = 10_000;

/** A member, acting. Two actors with the same personId are the same human being. */
export interface Actor {
  readonly memberId: string;
  readonly personId: string;
  readonly personName: string;
  readonly agencyId: string;
  readonly roles: readonly Role[];
}

/** The far side of a channel: may report what came of its messages, and nothing else. */
export interface Gateway {
  readonly channel: string;
}

/** A system that hands in the CAP messages of one source, and does nothing else. */
export interface SourceHolder {
  readonly sourceId: string;
}

export type KeyHolder =
  | { readonly kind: "member"; readonly who: Actor }
  | { readonly kind: "gateway"; readonly who: Gateway }
  | { readonly kind: "source"; readonly who: SourceHolder };

export interface Authenticator {
  /** @throws {Problem} key-unknown, also for a revoked key or member. */
  authenticate(key: string): Promise<KeyHolder>;
  close(): void;
}

export function createAuthenticator(db: Db, bus: Pick<Bus, "subscribe">): Authenticator {
  const cache = new Map<string, { holder: KeyHolder; until: number }>();
  // A lookup that began before a revocation must not be cached after it.
  let generation = 0;
  const unsubscribe = bus.subscribe("registry.changed", () => {
    generation += 1;
    cache.clear();
  });
  return {
    async authenticate(key) {
      if (!isApiKey(key)) throw new Problem("key-unknown", "This is not a key of Loa.");
      const sha256 = hashApiKey(key);
      const name = sha256.toString("base64");
      const known = cache.get(name);
      if (known !== undefined && known.until > performance.now()) return known.holder;
      const before = generation;
      const holder = await findHolder(db, sha256);
      if (holder === undefined)
        throw new Problem("key-unknown", "The key is not known here, or it was revoked.");
      if (generation === before) {
        // Map keeps the order of insertion, so the first is the oldest.
        cache.delete(name);
        if (cache.size >= HOLDER_CACHE_MAX) cache.delete(cache.keys().next().value as string);
        cache.set(name, { holder, until: performance.now() + HOLDER_CACHE_MS });
      }
      return holder;
    },
    close: unsubscribe,
  };
}

async function findHolder(db: Db, sha256: Buffer): Promise<KeyHolder | undefined> {
  const row = await db
    .selectFrom("api_key")
    .leftJoin("member", "member.id", "api_key.member_id")
    .leftJoin("person", "person.id", "member.person_id")
    .where("api_key.sha256", "=", sha256)
    .where("api_key.revoked_at", "is", null)
    .where("member.revoked_at", "is", null)
    .select([
      "api_key.gateway",
      "api_key.source_id as sourceId",
      "member.id as memberId",
      "member.agency_id as agencyId",
      "member.roles",
      "person.id as personId",
      "person.name as personName",
    ])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  if (row.gateway !== null) return { kind: "gateway", who: { channel: row.gateway } };
  if (row.sourceId !== null) return { kind: "source", who: { sourceId: row.sourceId } };
  const { memberId, personId, personName, agencyId, roles } = row;
  if (memberId === null || personId === null || personName === null || agencyId === null)
    throw new Error("a member's key without its member");
  const who: Actor = { memberId, personId, personName, agencyId, roles: (roles ?? []) as Role[] };
  return { kind: "member", who };
}

/** Where an actor stands towards an agency: in it, in the one directly above it, or elsewhere. */
export async function standpointTowards(
  db: Db,
  actor: Actor,
  agencyId: string,
): Promise<Standpoint> {
  if (actor.agencyId === agencyId) return "member";
  const agency = await db
    .selectFrom("agency")
    .where("id", "=", agencyId)
    .select("parent_id")
    .executeTakeFirst();
  return agency?.parent_id === actor.agencyId ? "parent" : "foreign";
}
