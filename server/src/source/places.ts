// Where a message is, in our communes, and whether its source may speak of them. A code is meant: one
// outside the jurisdiction refuses the message. A shape is drawn over borders: what lies outside is
// left out, said, and never goes out without people. What names no place is refused, not guessed.
import type { CapInfo, CapMessage, CapPoint } from "@loa/cap/message.ts";
import { CAP_AREA, CAP_VILLAGE } from "@loa/cap/profile/names.ts";
import { Problem } from "@loa/model/problem.ts";
import type { ResolvedCommune, Target } from "@loa/model/target.ts";
import { insideBy } from "../account/jurisdiction.ts";
import type { BulletinDeps } from "../bulletin/bulletin-deps.ts";

/** Shapes of one message that are laid over the communes; protects the thread that does it. */
export const SHAPES_MAX = 100;
/** Codes that a sentence names; the rest is counted. */
const NAMED_MAX = 20;

export interface MessagePlaces {
  readonly target: Target;
  /** Codes of the communes that it comes down to. */
  readonly codes: readonly string[];
  /** Whether it is exactly where the message says. */
  readonly isWhole: boolean;
  readonly remarks: readonly string[];
}

type PlaceDeps = Pick<BulletinDeps, "places" | "resolve">;

/** @throws {Problem} not-entitled, target-empty, and what resolving codes throws. */
export async function placesOfInfo(
  deps: PlaceDeps,
  info: CapInfo,
  jurisdiction: readonly string[],
): Promise<MessagePlaces> {
  const codes = geocodes(info, CAP_AREA);
  const shapes = shapesOf(info);
  const villages = geocodes(info, CAP_VILLAGE);
  const remarks =
    villages.length === 0
      ? []
      : [`It names villages that no pack has; add them as zones: ${nameSome(villages)}.`];
  if (codes.length === 0) return placesOfShapes(deps, info, shapes, jurisdiction, remarks);
  const target: Target = { areas: codes, zones: [], rule: { kind: "named" } };
  const { communes } = await deps.resolve(target);
  const outside = outsideOf(deps, communes, jurisdiction);
  if (outside.length > 0)
    throw new Problem("not-entitled", `The source may not speak of ${nameSome(outside)}.`);
  if (shapes.length > 0) remarks.push("Its units are taken by their codes; its shapes are not.");
  const isWhole = villages.length === 0;
  return { target, codes: communes.map(({ code }) => code), isWhole, remarks };
}

async function placesOfShapes(
  deps: PlaceDeps,
  info: CapInfo,
  shapes: readonly Target[],
  jurisdiction: readonly string[],
  remarks: string[],
): Promise<MessagePlaces> {
  const names = nameSome(info.areas.map(({ areaDesc }) => areaDesc.trim()));
  if (shapes.length === 0)
    throw new Problem("target-empty", `It has no place that can be found here: ${names}.`);
  if (shapes.length > SHAPES_MAX)
    throw new Problem("target-empty", `It has ${shapes.length} shapes, ${SHAPES_MAX} are read.`);
  const communes = new Map<string, ResolvedCommune>();
  for (const shape of shapes)
    for (const commune of await communesIn(deps, shape)) communes.set(commune.code, commune);
  const outside = new Set(outsideOf(deps, [...communes.values()], jurisdiction));
  const codes = [...communes.keys()].filter((code) => !outside.has(code)).toSorted();
  if (codes.length === 0)
    throw new Problem("not-entitled", `It lies outside what the source may speak of: ${names}.`);
  if (outside.size > 0)
    remarks.push(`Left out, because the source may not speak of them: ${nameSome([...outside])}.`);
  const [only] = shapes;
  const isWhole = outside.size === 0 && shapes.length === 1 && only !== undefined;
  if (isWhole) return { target: only, codes, isWhole: remarks.length === 0, remarks };
  remarks.push(`Its ${shapes.length} shapes come down to ${codes.length} communes; look at them.`);
  return { target: { areas: codes, zones: [], rule: { kind: "named" } }, codes, isWhole, remarks };
}

/** A shape far away from every commune is in none. */
async function communesIn(deps: PlaceDeps, shape: Target): Promise<readonly ResolvedCommune[]> {
  try {
    return (await deps.resolve(shape)).communes;
  } catch (fault) {
    if (fault instanceof Problem && fault.code === "target-empty") return [];
    throw fault;
  }
}

function outsideOf(
  deps: PlaceDeps,
  communes: readonly ResolvedCommune[],
  jurisdiction: readonly string[],
): string[] {
  const inside = insideBy(deps.places())(jurisdiction);
  return communes
    .filter(({ areaId, villageIds }) => !inside(areaId) && !(villageIds?.every(inside) ?? false))
    .map(({ code }) => code);
}

const geocodes = ({ areas }: CapInfo, name: string): string[] => [
  ...new Set(
    areas
      .flatMap((area) => area.geocodes)
      .filter(({ valueName }) => valueName.trim() === name)
      .map(({ value }) => value.trim()),
  ),
];

function shapesOf({ areas }: CapInfo): Target[] {
  const base = { areas: [], zones: [], rule: { kind: "touches" } } as const;
  const position = ([latitude, longitude]: CapPoint) => [longitude, latitude] as const;
  return [
    ...areas
      .flatMap(({ polygons }) => polygons)
      .map((polygon) => ({ ...base, polygon: polygon.map(position) })),
    ...areas
      .flatMap(({ circles }) => circles)
      .filter(({ radiusKm }) => radiusKm > 0)
      .map(({ center, radiusKm }) => ({ ...base, circle: { center: position(center), radiusKm } })),
  ];
}

/** A list as a sentence has it, of a length that a person reads. */
function nameSome(names: readonly string[]): string {
  const some = names.slice(0, NAMED_MAX).join(", ").slice(0, 600);
  return names.length > NAMED_MAX ? `${some} and ${names.length - NAMED_MAX} more` : some;
}

/** The info that a draft is made of: the Vietnamese one, else the English one, else the first. */
export const firstInfo = ({ infos }: CapMessage): CapInfo | undefined =>
  ["vi", "en"]
    .map((tag) => infos.find(({ language }) => language.toLowerCase().split("-")[0] === tag))
    .find((info) => info !== undefined) ?? infos[0];
