// What an agency may send, where, how and to whom. The server asks this at submit, at approval
// and at issue, whatever the client says.
import { BULLETIN_KINDS, BULLETIN_TYPES } from "./bulletin-type.ts";
import type { BulletinKind, BulletinType } from "./bulletin-type.ts";
import type { BulletinContent } from "./bulletin.ts";
import { ADDRESSED_CHANNELS, AREA_CHANNELS, type ChannelName } from "./endpoint.ts";
import { HAZARD_KEYS, type Hazard } from "./hazard.ts";
import type { Fault } from "./problem.ts";
import { AUDIENCE_RULES, type AudienceRule, type ResolvedTarget } from "./target.ts";

export interface Entitlement {
  /** Codes of the units that are the agency's jurisdiction, with all below them. */
  readonly areas: readonly string[];
  readonly hazards: readonly Hazard[];
  readonly channels: readonly ChannelName[];
  readonly audienceRules: readonly AudienceRule[];
  readonly kinds: readonly BulletinKind[];
  readonly types: readonly BulletinType[];
}

/** Most areas that one agency's jurisdiction may list. */
export const JURISDICTION_AREAS_MAX = 200;

export const CHANNEL_NAMES = [...ADDRESSED_CHANNELS, ...AREA_CHANNELS] as const;

/** All that there is, within some areas: for the agency at the top of an installation. */
export const fullEntitlement = (areas: readonly string[]): Entitlement => ({
  areas,
  hazards: HAZARD_KEYS,
  channels: CHANNEL_NAMES,
  audienceRules: AUDIENCE_RULES,
  kinds: BULLETIN_KINDS,
  types: BULLETIN_TYPES,
});

/** Whether a unit (by id) is one of the units of some codes, or lies below one. */
export type InsideAny = (codes: readonly string[]) => (areaId: number) => boolean;

/** Communes that are named one by one in a fault; protects the answer from thousands of lines. */
const OUTSIDE_NAMED_MAX = 20;

/** Every way in which this bulletin goes beyond the agency's entitlement; empty when it may. */
export function checkEntitlement(
  content: BulletinContent,
  resolved: ResolvedTarget,
  entitlement: Entitlement,
  insideAny: InsideAny,
): Fault[] {
  const faults: Fault[] = [];
  const inside = insideAny(entitlement.areas);
  const outside = resolved.communes.filter(
    ({ areaId, villageIds }) =>
      !inside(areaId) &&
      !(villageIds !== null && villageIds.length > 0 && villageIds.every(inside)),
  );
  for (const { code } of outside.slice(0, OUTSIDE_NAMED_MAX))
    faults.push({ at: "/target", what: `${code} is outside the agency's jurisdiction` });
  if (outside.length > OUTSIDE_NAMED_MAX)
    faults.push({
      at: "/target",
      what: `${outside.length - OUTSIDE_NAMED_MAX} more communes are outside the jurisdiction`,
    });
  const hazards: readonly string[] = entitlement.hazards;
  if (!hazards.includes(content.hazard))
    faults.push({ at: "/hazard", what: `the agency may not warn of ${content.hazard}` });
  content.alongside.forEach((hazard, index) => {
    if (!hazards.includes(hazard))
      faults.push({ at: `/alongside/${index}`, what: `the agency may not warn of ${hazard}` });
  });
  content.channels.forEach((channel, index) => {
    if (!entitlement.channels.includes(channel))
      faults.push({ at: `/channels/${index}`, what: `the agency may not use ${channel}` });
  });
  if (!entitlement.audienceRules.includes(content.audienceRule))
    faults.push({
      at: "/audienceRule",
      what: `the agency may not address "${content.audienceRule}"`,
    });
  if (!entitlement.kinds.includes(content.kind))
    faults.push({ at: "/kind", what: `the agency may not send a ${content.kind}` });
  if (!entitlement.types.includes(content.type))
    faults.push({ at: "/type", what: `the agency may not send type ${content.type}` });
  return faults;
}

/** Where a child agency would get more than its parent has; empty when it is within. */
export function checkNarrower(
  child: Entitlement,
  parent: Entitlement,
  isAreaInside: (code: string, above: string) => boolean,
): Fault[] {
  const faults: Fault[] = child.areas
    .filter((code) => !parent.areas.some((above) => isAreaInside(code, above)))
    .map((code) => ({
      at: "/entitlement/areas",
      what: `${code} is outside the parent's jurisdiction`,
    }));
  for (const part of ["hazards", "channels", "audienceRules", "kinds", "types"] as const) {
    const allowed: readonly string[] = parent[part];
    for (const value of child[part])
      if (!allowed.includes(value))
        faults.push({ at: `/entitlement/${part}`, what: `the parent itself may not: ${value}` });
  }
  return faults;
}
