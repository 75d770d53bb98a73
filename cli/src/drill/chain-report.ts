// What a person reads after a chain drill: who was told what at each step, and whether it was right.
import { formatTable } from "../table.ts";
import type { ChainDrillDocument } from "./chain-drill.ts";

export function chainReport({ stages, checks }: ChainDrillDocument): string {
  const failed = checks.filter(({ ok }) => !ok).length;
  return [
    "An exercise in the invented province Sông Lụa: one typhoon as one chain of bulletins.",
    formatTable(
      ["Step", "Communes", "Told", "Left out", "Silently", "Orders", "Orders of the end"],
      stages.map(({ name, communes, told, orders }) => [
        name,
        communes,
        told.main,
        told.left,
        told.silent,
        orders.main,
        orders.left,
      ]),
    ),
    checks
      .map(({ name, ok, found }) => (ok ? `✓ ${name}` : `✗ ${name}: ${found ?? "no"}`))
      .join("\n"),
    failed === 0
      ? `All ${checks.length} checks hold.`
      : `${failed} of ${checks.length} checks do not hold.`,
  ].join("\n\n");
}
