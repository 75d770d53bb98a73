// Who asks: the holder of a bearer credential, and whether a route is open to them.
import type { Access } from "@loa/api/route.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Role } from "@loa/model/transition.ts";
import type { Actor, Gateway, KeyHolder, SourceHolder } from "../account/actor.ts";

/** A citizen's device, by its token. */
export interface DeviceCaller {
  readonly ordinal: number;
  readonly generation: number;
}

export type Caller = KeyHolder | { readonly kind: "device"; readonly who: DeviceCaller };

/** Finds out who holds a credential. @throws {Problem} key-unknown or token-invalid. */
export type Authenticate = (credential: string) => Promise<Caller>;

/** What the handler of a route with this access gets as `caller`. */
export type CallerOf<A extends Access> = A extends { kind: "member" }
  ? Actor
  : A extends { kind: "gateway" }
    ? Gateway
    : A extends { kind: "source" }
      ? SourceHolder
      : A extends { kind: "device" }
        ? DeviceCaller
        : undefined;

/** Longest Authorization header that is looked at. */
export const CREDENTIAL_MAX_LENGTH = 512;

/**
 * The caller, if the route is open to them; undefined on a public route.
 * @throws {Problem} key-missing, key-unknown, token-invalid, role-missing, gateway-key-scope.
 */
export async function admitCaller(
  access: Access,
  authorization: string | null,
  authenticate: Authenticate,
): Promise<Caller | undefined> {
  if (access.kind === "public") return undefined;
  const credential = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? "")?.[1];
  if (!credential || credential.length > CREDENTIAL_MAX_LENGTH)
    throw new Problem("key-missing", "Send `Authorization: Bearer <key>`.", [
      { at: "header/authorization", what: authorization ? "not a bearer key" : "missing" },
    ]);
  const caller = await authenticate(credential);
  if (caller.kind !== access.kind) throw wrongKind(access, caller);
  if (access.kind === "member" && caller.kind === "member") requireRole(access.roles, caller.who);
  return caller;
}

function wrongKind(access: Access, caller: Caller): Problem {
  const detail = `This needs a ${access.kind}'s credential; a ${caller.kind}'s was sent.`;
  if (access.kind === "device") return new Problem("token-invalid", detail);
  const isScoped = ({ kind }: { readonly kind: string }) => kind === "gateway" || kind === "source";
  if (isScoped(access) || isScoped(caller)) return new Problem("gateway-key-scope", detail);
  return new Problem("role-missing", detail);
}

function requireRole(roles: readonly Role[], member: Actor): void {
  if (roles.length === 0 || roles.some((role) => member.roles.includes(role))) return;
  const held = member.roles.join(", ") || "none";
  throw new Problem("role-missing", `This needs the role ${roles.join(" or ")}; held: ${held}.`);
}

/** Who an Idempotency-Key belongs to: two callers may use the same key for different things. */
export function callerScope(caller: Caller | undefined): string {
  if (!caller) return "public";
  if (caller.kind === "member") return `member:${caller.who.memberId}`;
  if (caller.kind === "gateway") return `gateway:${caller.who.channel}`;
  if (caller.kind === "source") return `source:${caller.who.sourceId}`;
  return `device:${caller.who.ordinal}.${caller.who.generation}`;
}
