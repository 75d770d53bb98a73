// Whether a target still comes down to the places that were approved. Administrative mergers and
// redrawn zones change that between approval and issue, and nobody approved the new places.
import { isDeepStrictEqual } from "node:util";
import { Problem } from "@loa/model/problem.ts";
import type { ResolvedTarget } from "@loa/model/target.ts";
import type { PlaceLookup } from "../account/jurisdiction.ts";
import { placesOf } from "./approval.ts";
import type { Bulletin } from "./bulletin-row.ts";

/** @throws {Problem} resolves-otherwise, naming what came and went. */
export function requireSamePlaces(
  bulletin: Pick<Bulletin, "resolved">,
  resolved: ResolvedTarget,
  places: PlaceLookup,
): void {
  const approved = bulletin.resolved;
  if (approved === null) throw new Error("a bulletin that was never submitted");
  // The same units are the same places; of others the codes are compared, which outlive a pack.
  if (isSame(approved, resolved)) return;
  if (isDeepStrictEqual(placesOf(approved, places), placesOf(resolved, places))) return;
  const codes = (target: ResolvedTarget) => new Set(target.communes.map(({ code }) => code));
  const came = codes(resolved).difference(codes(approved));
  const went = codes(approved).difference(codes(resolved));
  throw new Problem(
    "resolves-otherwise",
    "The target comes down to other places than when it was submitted: submit it again.",
    [
      ...[...came].map((code) => ({ at: "/content/target", what: `${code} has come in` })),
      ...[...went].map((code) => ({ at: "/content/target", what: `${code} has dropped out` })),
    ].slice(0, 40),
  );
}

const isSame = (a: ResolvedTarget, b: ResolvedTarget): boolean =>
  isDeepStrictEqual(a.packs, b.packs) &&
  a.communes.length === b.communes.length &&
  a.communes.every(({ areaId, code, villageIds }, index) => {
    const other = b.communes[index];
    return (
      areaId === other?.areaId &&
      code === other.code &&
      (villageIds === other.villageIds || isDeepStrictEqual(villageIds, other.villageIds))
    );
  });
