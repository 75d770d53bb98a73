// What a person reads after a chain drill: who was told what at each step, and whether it was right.
import { formatNumber, formatTable } from "../table.ts";
import { checkName, STAGE_CHECKS } from "./chain-checks.ts";
import type { ChainDrillDocument } from "./chain-drill.ts";

export function chainReport({ people, stages, checks }: ChainDrillDocument): string {
  const failed = checks.filter(({ ok }) => !ok);
  const okOf = new Map(checks.map(({ name, ok }) => [name, ok]));
  const mark = (ok: boolean | undefined) => (ok === true ? "✓" : "✗");
  const names = stages.map(({ name }) => name);
  const byStage = new Set(
    names.flatMap((name) => STAGE_CHECKS.map((each) => checkName(name, each))),
  );
  return [
    "An exercise in the invented province Sông Lụa: one typhoon as one chain of bulletins.\n" +
      `${formatNumber(people.registered)} people are registered; ${formatNumber(people.live)} of them hold a ` +
      "phone that is connected, everybody else is told over a loopback channel.",
    formatTable(
      ["Who got what", ...names],
      [
        ["communes it is for", ...stages.map(({ communes }) => communes)],
        ["people told", ...stages.map(({ told }) => told.main)],
        ["told that it is over for them", ...stages.map(({ told }) => told.left)],
        ["phones corrected in silence", ...stages.map(({ told }) => told.silent)],
        ["loudspeakers ordered", ...stages.map(({ orders }) => orders.main)],
        ["loudspeakers told of the end", ...stages.map(({ orders }) => orders.left)],
      ],
    ),
    formatTable(
      ["Seen by those who received", ...names],
      STAGE_CHECKS.map((each) => [
        each,
        ...names.map((name) => mark(okOf.get(checkName(name, each)))),
      ]),
    ),
    checks
      .filter(({ name, ok }) => !ok || !byStage.has(name))
      .map(({ name, ok, found }) => (ok ? `✓ ${name}` : `✗ ${name}: ${found ?? "no"}`))
      .join("\n"),
    failed.length === 0
      ? `All ${checks.length} checks hold.`
      : `${failed.length} of ${checks.length} checks do not hold.`,
  ].join("\n\n");
}
