// The agencies of Sông Lụa, the invented province, for demonstrations, drills and tests: the
// province's command, three communes below it, and the centre that operates the platform. Members
// are posts, not invented private persons. The keys are printed once and kept beside the data.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Entitlement, fullEntitlement } from "@loa/model/entitlement.ts";
import type { Bilingual } from "@loa/model/text.ts";
import type { Role } from "@loa/model/transition.ts";
import type { Db } from "../db/connection.ts";
import { newId } from "../db/id.ts";
import { type AccountDeps, createAccount, createAgency } from "./account.ts";
import { createGatewayKey, createMemberKey } from "./api-key.ts";
import type { PlaceLookup } from "./jurisdiction.ts";
import { createMember } from "./member.ts";

const PROVINCE_CODE = "SL";
/** How many communes have an agency of their own in the demonstration. */
const COMMUNES = 3;
/** Read by the command line and by whoever lost the first output; only its owner may. */
export const DEMONSTRATION_KEYS_FILE = "demo-keys.json";

/** Names under which programs find a key. */
export type DemonstrationHolder =
  | "operator"
  | "provinceAuthor"
  | "provinceApprover"
  | "provinceDuty"
  | "provinceManager"
  | "communeAuthor"
  | "communeApprover"
  | "gatewayLoopback"
  | "gatewayLoopbackOnce"
  | "gatewayAreaLoopback";

export interface DemonstrationKey {
  readonly holder: DemonstrationHolder;
  readonly agency: string;
  readonly post: string;
  readonly roles: readonly Role[];
  readonly key: string;
}

export interface Demonstration {
  readonly keys: readonly DemonstrationKey[];
  /** Official accounts; the province's is the first. */
  readonly accounts: readonly {
    readonly id: string;
    readonly agencyId: string;
    readonly handle: string;
    readonly name: string;
    /** What the agency is responsible for. */
    readonly area: string;
  }[];
}

/** What is asked of the tree of areas, beyond looking up. */
export interface DemonstrationPlaces extends PlaceLookup {
  communesUnder(id: number): readonly { readonly code: string; readonly name: Bilingual }[];
}

export interface DemonstrationDeps {
  readonly db: Db;
  readonly bus: AccountDeps["bus"];
  readonly places: () => DemonstrationPlaces;
  readonly dataFolder: string;
}

interface Post {
  readonly holder?: DemonstrationHolder;
  readonly name: string;
  readonly post: Bilingual;
  readonly roles: readonly Role[];
}

const PROVINCE_POSTS: readonly Post[] = [
  {
    holder: "provinceAuthor",
    name: "Trực ban 1, Văn phòng Ban Chỉ huy PTDS tỉnh",
    post: {
      vi: "Trực ban Văn phòng Ban Chỉ huy Phòng thủ dân sự tỉnh",
      en: "Watch officer, Office of the provincial Civil Defence Command",
    },
    roles: ["author"],
  },
  {
    holder: "provinceApprover",
    name: "Phó Trưởng ban Thường trực Ban Chỉ huy PTDS tỉnh",
    post: {
      vi: "Phó Trưởng ban Thường trực Ban Chỉ huy Phòng thủ dân sự tỉnh",
      en: "Standing Deputy Head, provincial Civil Defence Command",
    },
    roles: ["approver"],
  },
  {
    holder: "provinceDuty",
    name: "Lãnh đạo trực Ban Chỉ huy PTDS tỉnh",
    post: {
      vi: "Lãnh đạo trực Ban Chỉ huy Phòng thủ dân sự tỉnh (duyệt thay cấp xã)",
      en: "Duty leader, provincial Civil Defence Command (approves for communes)",
    },
    roles: ["approver", "duty"],
  },
  {
    holder: "provinceManager",
    name: "Chánh Văn phòng Ban Chỉ huy PTDS tỉnh",
    post: {
      vi: "Chánh Văn phòng Ban Chỉ huy Phòng thủ dân sự tỉnh",
      en: "Chief of Office, provincial Civil Defence Command",
    },
    roles: ["manager"],
  },
];

const COMMUNE_POSTS: readonly Post[] = [
  {
    holder: "communeAuthor",
    name: "Công chức trực ban Ban Chỉ huy PTDS cấp xã",
    post: {
      vi: "Công chức trực ban Ban Chỉ huy Phòng thủ dân sự cấp xã",
      en: "Watch officer, commune Civil Defence Command",
    },
    roles: ["author"],
  },
  {
    holder: "communeApprover",
    name: "Trưởng Ban Chỉ huy PTDS cấp xã",
    post: {
      vi: "Chủ tịch Ủy ban nhân dân, Trưởng Ban Chỉ huy Phòng thủ dân sự cấp xã",
      en: "Chair of the People's Committee, Head of the commune Civil Defence Command",
    },
    roles: ["approver"],
  },
];

const OPERATOR: Post = {
  holder: "operator",
  name: "Quản trị viên hệ thống Loa tỉnh Sông Lụa",
  post: {
    vi: "Quản trị viên hệ thống, Trung tâm Điều hành thông minh tỉnh",
    en: "System operator, provincial Smart Operations Centre",
  },
  roles: ["operator"],
};

const GATEWAYS = [
  ["gatewayLoopback", "loopback", "Cổng kênh loopback"],
  ["gatewayLoopbackOnce", "loopback-once", "Cổng kênh loopback-once"],
  ["gatewayAreaLoopback", "area-loopback", "Cổng kênh area-loopback"],
] as const;

/**
 * Creates the demonstration in an installation that has no agency yet, and answers its keys; in
 * one that has it, answers the keys that were kept; undefined where agencies are somebody else's.
 */
export async function installDemonstration(
  deps: DemonstrationDeps,
): Promise<Demonstration | undefined> {
  const file = join(deps.dataFolder, DEMONSTRATION_KEYS_FILE);
  const occupied = await deps.db.selectFrom("agency").select("id").limit(1).executeTakeFirst();
  if (occupied !== undefined)
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Demonstration) : undefined;
  // All or nothing, and the keys are on disk before they work: a process that is killed half-way
  // leaves neither half a demonstration nor keys that nobody has.
  return deps.db.transaction().execute(async (tx) => {
    const demonstration = await createDemonstration({ ...deps, db: tx });
    rmSync(file, { force: true });
    writeFileSync(file, `${JSON.stringify(demonstration, null, 2)}\n`, {
      mode: 0o600,
      flush: true,
    });
    return demonstration;
  });
}

async function createDemonstration(deps: DemonstrationDeps): Promise<Demonstration> {
  const places = deps.places();
  const province = places.byCode(PROVINCE_CODE);
  if (province === undefined) throw new Error(`the active area packs have no ${PROVINCE_CODE}`);
  const keys: DemonstrationKey[] = [];
  const accounts: Demonstration["accounts"][number][] = [];

  const command = await createAgency(deps, {
    parentId: null,
    name: {
      vi: "Ban Chỉ huy Phòng thủ dân sự tỉnh Sông Lụa",
      en: "Civil Defence Command of Sông Lụa province",
    },
    entitlement: fullEntitlement([PROVINCE_CODE]),
  });
  const name = { vi: "Phòng thủ dân sự tỉnh Sông Lụa", en: "Sông Lụa Civil Defence" };
  const account = await createAccount(deps, { agencyId: command.id, handle: "songlua", name });
  accounts.push({
    id: account.id,
    agencyId: command.id,
    handle: account.handle,
    name: name.vi,
    area: PROVINCE_CODE,
  });
  for (const post of PROVINCE_POSTS) keys.push(...(await appoint(deps, command, post)));

  const communes = places
    .communesUnder(province.id)
    .toSorted((a, b) => (a.code < b.code ? -1 : 1))
    .slice(0, COMMUNES);
  for (const [index, commune] of communes.entries()) {
    const agency = await createAgency(deps, {
      parentId: command.id,
      name: {
        vi: `Ban Chỉ huy Phòng thủ dân sự ${commune.name.vi}`,
        en: `Civil Defence Command of ${commune.name.en}`,
      },
      entitlement: communeEntitlement(commune.code),
    });
    const handle = `${commune.code.toLowerCase()}.songlua`;
    const { id } = await createAccount(deps, { agencyId: agency.id, handle, name: commune.name });
    const face = { id, agencyId: agency.id, handle, name: commune.name.vi, area: commune.code };
    accounts.push(face);
    for (const post of COMMUNE_POSTS) {
      const fresh = await appoint(deps, agency, post);
      // One commune's keys are enough to try it; the others have theirs made by the operator.
      if (index === 0) keys.push(...fresh);
    }
  }
  keys.push(...(await createOperation(deps)));
  return { keys, accounts };
}

/** What a commune may send. A PublicTest is the province's to announce. */
const communeEntitlement = (code: string): Entitlement => ({
  ...fullEntitlement([code]),
  types: ["Actual", "Exercise"],
});

async function createOperation(deps: DemonstrationDeps): Promise<DemonstrationKey[]> {
  const centre = await createAgency(deps, {
    parentId: null,
    name: {
      vi: "Trung tâm Điều hành thông minh tỉnh Sông Lụa",
      en: "Smart Operations Centre of Sông Lụa province",
    },
    // It operates the platform and warns nobody.
    entitlement: {
      areas: [],
      hazards: [],
      channels: [],
      audienceRules: [],
      kinds: [],
      types: [],
    },
  });
  const keys = await appoint(deps, centre, OPERATOR);
  for (const [holder, channel, post] of GATEWAYS) {
    const { key } = await createGatewayKey(deps, channel, "demonstration");
    keys.push({ holder, agency: centre.name.vi, post, roles: [], key });
  }
  return keys;
}

async function appoint(
  deps: DemonstrationDeps,
  agency: { readonly id: string; readonly name: Bilingual },
  { holder, name, post, roles }: Post,
): Promise<DemonstrationKey[]> {
  const member = await createMember(
    deps,
    { agencyId: agency.id, post, roles, person: { name } },
    newId(),
  );
  if (holder === undefined) return [];
  const { key } = await createMemberKey(deps, member.id, "demonstration");
  return [{ holder, agency: agency.name.vi, post: post.vi, roles, key }];
}
