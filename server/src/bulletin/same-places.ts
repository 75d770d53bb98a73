// Whether a target still comes down to the places that were approved. Administrative mergers and
// redrawn zones change that between approval and issue, and nobody approved the new places.
import { isDeepStrictEqual } from "node:util";
import { Problem } from "@loa/model/problem.ts";
import type { ResolvedTarget } from "@loa/model/target.ts";
import type { PlaceLookup } from "../account/jurisdiction.ts";
import { placesOf } from "./approval.ts";
import { type Bulletin, readResolved } from "./bulletin-row.ts";
import type { Sql } from "./store.ts";

/** What the target comes down to today, and the hash of what would go out there. */
interface Today {
  readonly hash: Buffer;
  readonly resolved: ResolvedTarget;
}

/** @throws {Problem} resolves-otherwise, naming what came and went. */
export async function requireSamePlaces(
  tx: Sql,
  { id, hash }: Pick<Bulletin, "id" | "hash">,
  today: Today,
  places: PlaceLookup,
): Promise<void> {
  // The hash covers the places: only where it differs are they looked at, to say which.
  if (hash?.equals(today.hash)) return;
  const approved = await readResolved(tx, id);
  if (approved === null) throw new Error("a bulletin that was never submitted");
  if (isDeepStrictEqual(placesOf(approved, places), placesOf(today.resolved, places))) return;
  const codes = (target: ResolvedTarget) => new Set(target.communes.map(({ code }) => code));
  const came = codes(today.resolved).difference(codes(approved));
  const went = codes(approved).difference(codes(today.resolved));
  throw new Problem(
    "resolves-otherwise",
    "The target comes down to other places than when it was submitted: submit it again.",
    [
      ...[...came].map((code) => ({ at: "/content/target", what: `${code} has come in` })),
      ...[...went].map((code) => ({ at: "/content/target", what: `${code} has dropped out` })),
    ].slice(0, 40),
  );
}
