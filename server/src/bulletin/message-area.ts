// Fail closed on area: what was encoded is read back, and the places that it names are compared with
// those that were approved. Smaller, larger or missing means that nothing goes out. In 2018 a test
// for nobody reached a state, in other years warnings reached one street of a town: an encoder that
// drops or invents a place is not noticed by the people who pressed the button.
import type { ApprovalSubject } from "@loa/model/approval-hash.ts";
import type { BulletinPlaces } from "./bulletin-deps.ts";

/** Codes that a fault names; the rest is counted. */
const NAMED_MAX = 10;

/** The message that was made is not for the places that were approved: a fault of ours. */
export class AreaFault extends Error {
  override name = "AreaFault";
}

/** @throws {AreaFault} when the bytes name other places, or another shape, than were approved. */
export function requireApprovedArea(
  bytes: Uint8Array,
  { places: approved, content }: ApprovalSubject,
  places: BulletinPlaces,
): void {
  const { areas, polygon } = JSON.parse(Buffer.from(bytes).toString()) as {
    areas?: unknown;
    polygon?: unknown;
  };
  const wanted = new Set(approved.communes.map(({ code }) => code));
  const named = new Set<string>();
  for (const code of Array.isArray(areas) ? areas.map(String) : []) {
    const unit = places.byCode(code);
    const communes = wanted.has(code) || unit === undefined ? [] : places.communesUnder(unit.id);
    for (const each of communes) named.add(each.code);
    if (communes.length === 0) named.add(code);
  }
  const missing = [...wanted.difference(named)];
  const added = [...named.difference(wanted)];
  const list = (codes: readonly string[]) =>
    `${codes.slice(0, NAMED_MAX).join(", ")}${codes.length > NAMED_MAX ? `, … (${codes.length})` : ""}`;
  if (wanted.size === 0 || missing.length + added.length > 0)
    throw new AreaFault(
      `the message is not for the approved area: missing [${list(missing)}], added [${list(added)}]`,
    );
  if (polygon !== undefined && JSON.stringify(polygon) !== JSON.stringify(content.target.polygon))
    throw new AreaFault("the message holds another polygon than was approved");
}
