// Makes the publication of an issued bulletin, and says what its CAP document is made of.
import { formatLocalTime } from "@loa/model/local-time.ts";
import type { ResolvedTarget } from "@loa/model/target.ts";
import type { Bilingual, Language } from "@loa/model/text.ts";
import type { Bulletin } from "../bulletin/bulletin-row.ts";
import { placesOf } from "../bulletin/approval.ts";
import type { CapDocument } from "./cap-document.ts";
import { sayCorrection } from "./correction.ts";
import { type Publication, PUBLICATION_VERSION, type PublishedArea } from "./publication.ts";

interface NamedUnit {
  readonly id: number;
  readonly code: string;
  readonly parentId: number | null;
  readonly name: Bilingual;
}

/** The tree of areas, as far as publishing asks for it (registry/area.ts). */
export interface NamedPlaces {
  byCode(code: string): NamedUnit | undefined;
  /** Also of a pack that was superseded meanwhile. */
  byId(id: number): NamedUnit | undefined;
  communesUnder(id: number): readonly { readonly code: string }[];
}

export interface ComposeFacts {
  readonly bulletin: Bulletin;
  /** The places that it was approved for. */
  readonly resolved: ResolvedTarget;
  readonly account: Publication["account"];
  readonly incident: Publication["incident"];
  readonly code: string;
  /** Origin of the public pages, without a slash at its end. */
  readonly origin: string;
  /** What was published of the bulletins that this one refers to. */
  readonly references: readonly Publication[];
  readonly places: NamedPlaces;
  readonly capSigned: boolean;
}

export interface Composed {
  readonly publication: Publication;
  readonly document: CapDocument;
}

/** @throws {Error} when the bulletin was not issued. */
export function composePublication(facts: ComposeFacts): Composed {
  const { bulletin, resolved, account, incident, code, origin, places } = facts;
  const { identifier, issuedAt, expiresAt, hash, signature, keyId } = bulletin;
  if (!identifier || !issuedAt || !expiresAt || !hash || !signature || !keyId)
    throw new Error(`bulletin ${bulletin.id} was not issued`);
  const publication: Publication = {
    v: PUBLICATION_VERSION,
    id: bulletin.id,
    code,
    identifier,
    sender: `${account.handle}@${new URL(origin).hostname.replaceAll(/[[\]]/gu, "")}`,
    msgType: bulletin.msgType,
    step: bulletin.step,
    account: { handle: account.handle, name: account.name },
    incident: incident && { id: incident.id, hazard: incident.hazard, name: incident.name },
    content: bulletin.content,
    issuedAt: issuedAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    referenceIds: bulletin.referenceIds,
    packs: resolved.packs.map(({ name, validFrom }) => ({ name, validFrom })),
    areas: nameAreas(resolved, places),
    around: codesAround(resolved, places),
    hash: hash.toString("hex"),
    signature: signature.toString("base64url"),
    keyId,
    capSigned: facts.capSigned,
  };
  const { communes } = placesOf(resolved, places);
  return {
    publication,
    document: {
      bulletin: capBulletinOf(facts, publication),
      codes: communes.flatMap(({ code, villages }) => villages ?? [code]),
    },
  };
}

/** Where a bulletin is read, in each language. */
export const pagePath = (code: string, language: Language): string =>
  language === "vi" ? `/b/${code}` : `/en/b/${code}`;

function capBulletinOf(
  { origin, references }: ComposeFacts,
  publication: Publication,
): CapDocument["bulletin"] {
  const { code, content } = publication;
  const [old] = references;
  return {
    ...publication,
    sent: new Date(publication.issuedAt),
    shortCode: code,
    isLast: publication.step === "last",
    correction: publication.step === "correction" && old ? sayCorrection(old, content) : null,
    page: { vi: origin + pagePath(code, "vi"), en: origin + pagePath(code, "en") },
    references: references.map(({ sender, identifier, issuedAt }) => ({
      sender,
      identifier,
      sent: formatLocalTime(new Date(issuedAt)),
    })),
    places: publication.areas.map(({ name, communes, villages }) => ({
      name,
      codes: villages?.map((village) => village.code) ?? communes,
    })),
  };
}

/** Communes by name; a unit of which every commune is meant stands for all of them. */
export function nameAreas(resolved: ResolvedTarget, places: NamedPlaces): PublishedArea[] {
  const whole = new Set(
    resolved.communes.filter(({ villageIds }) => villageIds === null).map(({ areaId }) => areaId),
  );
  const filled = new Map<number, boolean>();
  const areas = new Map<number, PublishedArea & { communes: string[] }>();
  for (const { areaId, code, villageIds } of resolved.communes) {
    const top = villageIds === null ? largestFilled(areaId, whole, filled, places) : areaId;
    const known = areas.get(top);
    if (known) {
      known.communes.push(code);
      continue;
    }
    const unit = places.byId(top);
    const parent = unit?.parentId == null ? undefined : places.byId(unit.parentId);
    areas.set(top, {
      code: unit?.code ?? code,
      name: unit?.name ?? { vi: code, en: code },
      within: parent ? { code: parent.code, name: parent.name } : null,
      communes: [code],
      villages:
        villageIds?.map((id) => {
          const village = places.byId(id);
          const fallback = `#${id}`;
          return {
            code: village?.code ?? fallback,
            name: village?.name ?? { vi: fallback, en: fallback },
          };
        }) ?? null,
    });
  }
  return [...areas.values()];
}

/** The id of the largest unit around a commune of which every commune is meant. */
function largestFilled(
  communeId: number,
  whole: ReadonlySet<number>,
  filled: Map<number, boolean>,
  places: NamedPlaces,
): number {
  const wholeCodes = (id: number): boolean =>
    places.communesUnder(id).every(({ code }) => whole.has(places.byCode(code)?.id ?? Number.NaN));
  let largest = communeId;
  for (;;) {
    const parentId = places.byId(largest)?.parentId ?? null;
    if (parentId === null) return largest;
    const isFilled = filled.get(parentId) ?? wholeCodes(parentId);
    filled.set(parentId, isFilled);
    if (!isFilled) return largest;
    largest = parentId;
  }
}

function codesAround(resolved: ResolvedTarget, places: NamedPlaces): string[] {
  const codes = new Set<string>();
  for (const { areaId } of resolved.communes)
    for (let id = places.byId(areaId)?.parentId ?? null; id !== null;) {
      const unit = places.byId(id);
      if (unit === undefined || codes.has(unit.code)) break;
      codes.add(unit.code);
      id = unit.parentId;
    }
  return [...codes];
}
