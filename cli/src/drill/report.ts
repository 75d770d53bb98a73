// What a person reads after a drill: who was reached over which channel, where, how fast, and
// whether every check holds.
import { STATES } from "@loa/model/delivery.ts";
import { formatFields, formatNumber, formatTable } from "../table.ts";
import type { CommuneLedger } from "./checks.ts";
import type { DrillDocument } from "./document.ts";
import type { NamedUnit } from "./pack.ts";

/** The report; `communes` are those of the ledger, `units` give them their names. */
export function drillReport(
  document: DrillDocument,
  communes: readonly CommuneLedger[],
  units: readonly NamedUnit[],
): string {
  const { audience, ms, checks } = document;
  const failed = checks.filter(({ ok }) => !ok).length;
  return [
    "An exercise in the invented province Sông Lụa: a typhoon warning, approved by a second person.",
    formatFields([
      ["Bulletin", document.bulletin],
      [
        "For",
        `${formatNumber(audience.residents)} residents and ${formatNumber(audience.concerned)} concerned, registered for ${document.communes} communes (${formatNumber(document.population)} people live there)`,
      ],
    ]),
    channelTable(document),
    communeTable(communes, units),
    document.area
      .map(
        ({ channel, orders, carriedOut, claimed }) =>
          `${channel}: ${orders} orders, ${carriedOut} carried out; they claim ${formatNumber(claimed)} people (a claim, not counted above)`,
      )
      .join("\n"),
    formatFields([
      ["First message", `${ms.issueToFirst} ms after the issue was asked for`],
      ["Half of them", `${ms.issueToMedian} ms`],
      ["99 of 100", `${ms.issueToP99} ms`],
      ["Last message", `${ms.issueToLast} ms`],
      ["Speed", `${formatNumber(document.recipientsPerSecond)} recipients/s, over plain loopback`],
      [
        "Counted there",
        `lost ${document.lost}, twice ${document.duplicates}, outside the area ${document.outsideArea}, joined later ${document.joinedLater}`,
      ],
    ]),
    checks
      .map(({ name, ok, found }) => (ok ? `✓ ${name}` : `✗ ${name}: ${found ?? "no"}`))
      .join("\n"),
    failed === 0
      ? `All ${checks.length} checks hold.`
      : `${failed} of ${checks.length} checks do not hold.`,
  ].join("\n\n");
}

function channelTable({ channels }: DrillDocument): string {
  const shown = STATES.filter((state) =>
    Object.values(channels).some((channel) => channel.state[state] > 0),
  );
  return formatTable(
    ["Channel", "Planned", ...shown, "Reached"],
    Object.entries(channels).map(([name, { planned, state, reached }]) => [
      name,
      planned,
      ...shown.map((each) => state[each]),
      `${planned === 0 ? 0 : Math.floor((reached.delivered / planned) * 1000) / 10} %`,
    ]),
  );
}

function communeTable(communes: readonly CommuneLedger[], units: readonly NamedUnit[]): string {
  const unitOf = new Map(units.map((unit) => [unit.code, unit]));
  const rows = communes.map(({ code, channels }) => {
    const all = Object.values(channels).flatMap((each) => [each.residents, each.concerned]);
    return [
      code,
      unitOf.get(code)?.name ?? "",
      unitOf.get(code)?.population ?? null,
      all.reduce((sum, each) => sum + each.planned, 0),
      all.reduce((sum, each) => sum + each.reached.delivered, 0),
    ] as const;
  });
  return formatTable(["Code", "Commune", "Population", "Planned", "Delivered"], rows);
}
