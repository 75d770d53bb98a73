// `loa estimate`: how many people a target means, before anybody is told anything.
import { readFile } from "node:fs/promises";
import type { z } from "@hono/zod-openapi";
import { estimateAudience, type estimateSchema } from "@loa/api/audience.ts";
import { BULLETIN_TYPES, type BulletinType } from "@loa/model/bulletin-type.ts";
import { AUDIENCE_RULES, type CommuneRule, type Position } from "@loa/model/target.ts";
import {
  answer,
  type Command,
  listOption,
  type OptionValues,
  textOption,
  UsageError,
} from "../command.ts";
import { formatFields, formatNumber, formatTable } from "../table.ts";
import { findAccount } from "./bulletins-create.ts";

const text = { type: "string" } as const;
const many = { type: "string", multiple: true } as const;

export const estimate: Command = {
  name: "estimate",
  usage: "[--areas CODES] [--zones CODES] [--polygon FILE] [--circle LON,LAT,KM]",
  summary: {
    en: "Count whom a target would reach, without telling anybody",
    vi: "Ước tính số người sẽ nhận được, chưa gửi cho ai",
  },
  help: [
    ["--areas CODES", "units of any level"],
    ["--zones CODES", "zones"],
    ["--polygon FILE", "a GeoJSON Polygon, or a JSON list of [lon, lat]"],
    ["--circle LON,LAT,KM", "everything within that many kilometres"],
    [
      "--rule RULE",
      "touches, named, or a share as 0.5: when a commune is inside a shape (touches)",
    ],
    ["--audience RULE", `${AUDIENCE_RULES.join(", ")} (residents)`],
    ["--account HANDLE", "whose followers"],
    ["--type TYPE", `${BULLETIN_TYPES.join(", ")} (Actual); an Exercise counts synthetic people`],
  ],
  options: {
    areas: many,
    zones: many,
    polygon: text,
    circle: text,
    rule: text,
    audience: text,
    account: text,
    type: text,
  },
  async run({ client: openClient, values }) {
    const client = openClient();
    const audienceRule = choice(values, "audience", AUDIENCE_RULES) ?? "residents";
    const type = choice(values, "type", BULLETIN_TYPES) ?? "Actual";
    const polygon = await polygonOf(textOption(values, "polygon"));
    const circle = circleOf(textOption(values, "circle"));
    const accountId =
      audienceRule === "residents"
        ? undefined
        : await findAccount(client, textOption(values, "account"));
    const found = await client.ask(estimateAudience, {
      body: {
        target: {
          areas: listOption(values, "areas"),
          zones: listOption(values, "zones"),
          ...(polygon && { polygon }),
          ...(circle && { circle }),
          rule: ruleOf(textOption(values, "rule") ?? "touches"),
        },
        audienceRule,
        type,
        ...(accountId && { accountId }),
      },
    });
    return answer(found, estimateText(found, type));
  },
};

function estimateText(found: z.output<typeof estimateSchema>, type: BulletinType): string {
  const share =
    found.registeredShare === null ? null : `${(found.registeredShare * 100).toFixed(1)} %`;
  const fields = formatFields([
    ["Residents", found.residents],
    ["Concerned", found.concerned],
    ["Together", found.total],
    ["Inhabitants", found.population],
    [
      "Registered there",
      share === null
        ? found.registered
        : `${formatNumber(found.registered)}, ${share} of the inhabitants`,
    ],
  ]);
  const endpoints = Object.entries(found.endpoints)
    .map(([kind, each]) => [kind, each.residents, each.concerned] as const)
    .filter(([, residents, concerned]) => residents + concerned > 0);
  const communes = found.communes.map((each) => [
    each.code,
    each.inside ? each.name.vi : `${each.name.vi} (followers)`,
    each.population,
    each.residents,
    each.concerned,
  ]);
  return [
    fields,
    ...(type === "Actual" && found.total === 0
      ? ["Synthetic people are not counted here; --type Exercise counts them."]
      : []),
    formatTable(["Way", "Residents", "Concerned"], endpoints),
    formatTable(["Code", "Commune", "Inhabitants", "Residents", "Concerned"], communes),
  ].join("\n\n");
}

function choice<T extends string>(
  values: OptionValues,
  name: string,
  allowed: readonly T[],
): T | undefined {
  const given = textOption(values, name);
  const found = allowed.find((each) => each === given);
  if (given !== undefined && found === undefined)
    throw new UsageError(`--${name} wants one of ${allowed.join(", ")}`);
  return found;
}

function ruleOf(given: string): CommuneRule {
  if (given === "touches" || given === "named") return { kind: given };
  const atLeast = Number(given);
  if (!(atLeast > 0 && atLeast <= 1))
    throw new UsageError("--rule wants touches, named, or a share above 0 and up to 1");
  return { kind: "share", atLeast };
}

function circleOf(given: string | undefined) {
  if (given === undefined) return undefined;
  const [lon, lat, radiusKm, ...rest] = given.split(",").map(Number);
  if (![lon, lat, radiusKm].every(Number.isFinite) || rest.length > 0)
    throw new UsageError("--circle wants LON,LAT,KM as 109.95,13.85,20");
  return {
    center: [lon as number, lat as number] as [number, number],
    radiusKm: radiusKm as number,
  };
}

async function polygonOf(file: string | undefined): Promise<[number, number][] | undefined> {
  if (file === undefined) return undefined;
  const given = JSON.parse(await readFile(file, "utf8")) as
    | Position[]
    | { geometry?: { coordinates?: Position[][] }; coordinates?: Position[][] };
  const ring = Array.isArray(given)
    ? given
    : (given.geometry?.coordinates ?? given.coordinates)?.[0];
  if (!Array.isArray(ring)) throw new UsageError(`${file} holds no polygon`);
  return ring.map(([lon, lat]) => [lon, lat]);
}
