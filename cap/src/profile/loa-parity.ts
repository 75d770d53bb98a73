// Parity between languages (M0, M2): whoever reads only one of them must be warned as well as
// whoever reads the other. So Vietnamese comes first, every language has the same blocks, and what
// is not text is the same in all of them.
import type { CapInfo } from "../message.ts";
import type { CapPlaces } from "../place.ts";
import type { Report } from "../report.ts";
import { isSame } from "./google.ts";
import { CAP_TRANSLATED } from "./names.ts";

export const LOA_LANGUAGE = "vi-VN";

const EQUAL = [
  ["responseTypes", "responseType"],
  ["urgency", "urgency"],
  ["severity", "severity"],
  ["certainty", "certainty"],
  ["effective", "effective"],
  ["onset", "onset"],
  ["expires", "expires"],
] as const satisfies readonly (readonly [keyof CapInfo, string])[];

const TEXTS = ["audience", "headline", "description", "instruction", "web", "contact"] as const;

export function checkParity(report: Report, places: CapPlaces, infos: readonly CapInfo[]): void {
  const [first] = infos;
  if (first === undefined) return;
  if (first.language !== LOA_LANGUAGE)
    report.error("I1", places.of(first, "language"), `the first language is not ${LOA_LANGUAGE}`);
  const byLanguage = Map.groupBy(infos, ({ language }) => language);
  const vietnamese = byLanguage.get(LOA_LANGUAGE) ?? [];
  if (!infos.some(({ language }) => /^en\b/iu.test(language)))
    report.warning("M0", places.of(first), "there is no text in English");
  for (const [language, blocks] of byLanguage) {
    if (language === LOA_LANGUAGE || vietnamese.length === 0) continue;
    const at = places.of(blocks[0] as CapInfo);
    if (blocks.length !== vietnamese.length)
      report.error(
        "M0",
        at,
        `${language} has ${blocks.length} blocks, Vietnamese ${vietnamese.length}`,
      );
    else
      for (const [index, info] of blocks.entries())
        compare(report, places, vietnamese[index] as CapInfo, info);
  }
}

function compare(report: Report, places: CapPlaces, vietnamese: CapInfo, info: CapInfo): void {
  const differs = (name: string): void =>
    report.error("M2", places.of(info, name), `the ${name} differs from the Vietnamese`);
  for (const [property, name] of EQUAL)
    if (!isSame(vietnamese[property], info[property])) differs(name);
  for (const name of TEXTS)
    if ((vietnamese[name] === undefined) !== (info[name] === undefined))
      report.error("M0", places.of(info, name), `there is a ${name} in one language only`);
  const invariant = ({ parameters }: CapInfo) =>
    parameters.filter(({ valueName }) => !CAP_TRANSLATED.has(valueName));
  const translated = ({ parameters }: CapInfo) =>
    parameters.map(({ valueName }) => valueName).filter((name) => CAP_TRANSLATED.has(name));
  if (!isSame(invariant(vietnamese), invariant(info))) differs("parameter");
  if (!isSame(translated(vietnamese), translated(info))) differs("parameter");
  const shapes = ({ areas }: CapInfo) => areas.map((area) => ({ ...area, areaDesc: "" }));
  if (!isSame(shapes(vietnamese), shapes(info))) differs("area");
}
