// Agencies, accounts, members and keys over HTTP.
import {
  changeAgency as changeAgencyRoute,
  createAccount as createAccountRoute,
  createAgency as createAgencyRoute,
  createKey,
  createMember as createMemberRoute,
  getAgency,
  getMe,
  listAccounts as listAccountsRoute,
  listAgencies as listAgenciesRoute,
  listKeys as listKeysRoute,
  listMembers as listMembersRoute,
  listSigningKeys,
  revokeKey as revokeKeyRoute,
  revokeMember as revokeMemberRoute,
} from "@loa/api/accounts.ts";
import {
  type AccountDeps,
  type Agency,
  changeAgency,
  createAccount,
  createAgency,
  listAccounts,
  listAgencies,
  readAgency,
} from "../account/account.ts";
import {
  createGatewayKey,
  createMemberKey,
  createSourceKey,
  listKeys,
  revokeKey,
} from "../account/api-key.ts";
import {
  createMember,
  listMembers,
  type Member,
  readMember,
  revokeMember,
} from "../account/member.ts";
import type { ServerKeys } from "../account/server-keys.ts";
import type { App } from "./app.ts";
import { pageOf } from "./page.ts";

/** The newest keys that one answer shows. */
export const KEYS_SHOWN_MAX = 500;

export interface AccountRouteDeps extends AccountDeps {
  readonly keys: ServerKeys;
}

export function mountAccounts(app: App, deps: AccountRouteDeps): void {
  const { db } = deps;
  app.mount(getMe, async ({ caller }) => showMember(await readMember(db, caller.memberId)));

  app.mount(listAgenciesRoute, async ({ query: { limit, after } }) => {
    const rows = await listAgencies(db, limit + 1, after);
    return pageOf(rows.map(showAgency), limit);
  });
  app.mount(getAgency, async ({ params }) => showAgency(await readAgency(db, params.id)));
  app.mount(createAgencyRoute, async ({ body, stableId }) =>
    showAgency(await createAgency(deps, body, stableId)),
  );
  app.mount(changeAgencyRoute, async ({ params, body }) =>
    showAgency(await changeAgency(deps, params.id, body)),
  );

  app.mount(listAccountsRoute, async ({ query: { limit, after } }) =>
    pageOf(await listAccounts(db, limit + 1, after), limit),
  );
  app.mount(createAccountRoute, async ({ body, stableId }) => createAccount(deps, body, stableId));

  app.mount(listMembersRoute, async ({ query: { limit, after, agencyId } }) => {
    const where = { ...(after && { after }), ...(agencyId && { agencyId }) };
    const rows = await listMembers(db, limit + 1, where);
    return pageOf(rows.map(showMember), limit);
  });
  app.mount(createMemberRoute, async ({ body, stableId }) =>
    showMember(await createMember(deps, body, stableId)),
  );
  app.mount(revokeMemberRoute, async ({ params }) =>
    showMember(await revokeMember(deps, params.id)),
  );

  app.mount(listKeysRoute, async ({ query: { memberId } }) => {
    const keys = await listKeys(db, KEYS_SHOWN_MAX, memberId === undefined ? {} : { memberId });
    return {
      items: keys.map((key) => ({
        ...key,
        createdAt: key.createdAt.toISOString(),
        revokedAt: key.revokedAt?.toISOString() ?? null,
      })),
    };
  });
  app.mount(createKey, async ({ body: { holder, label } }) =>
    "memberId" in holder
      ? createMemberKey(deps, holder.memberId, label)
      : "sourceId" in holder
        ? createSourceKey(deps, holder.sourceId, label)
        : createGatewayKey(deps, holder.gateway, label),
  );
  app.mount(revokeKeyRoute, async ({ params }) => revokeKey(deps, params.fingerprint));

  app.mount(listSigningKeys, async () => {
    const { keyId, publicKey } = deps.keys.signing;
    return { items: [{ keyId, algorithm: "Ed25519" as const, publicKey }] };
  });
}

const showAgency = ({ entitlement, ...agency }: Agency) => ({
  ...agency,
  entitlement: {
    areas: [...entitlement.areas],
    hazards: [...entitlement.hazards],
    channels: [...entitlement.channels],
    audienceRules: [...entitlement.audienceRules],
    kinds: [...entitlement.kinds],
    types: [...entitlement.types],
  },
});

const showMember = (member: Member) => ({ ...member, roles: [...member.roles] });
