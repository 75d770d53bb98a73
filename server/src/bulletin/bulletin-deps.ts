// What the bulletin stage is handed by the role that joins the parts. Later stages (audience,
// dispatch) come in as functions, so that this stage knows none of them.
import type { BulletinType, Lane } from "@loa/model/bulletin-type.ts";
import type { ChannelName } from "@loa/model/endpoint.ts";
import type { AudienceRule, ResolvedTarget, Target } from "@loa/model/target.ts";
import type { Bilingual } from "@loa/model/text.ts";
import type pg from "pg";
import type { PlaceLookup } from "../account/jurisdiction.ts";
import type { ServerKeys } from "../account/server-keys.ts";
import type { Bus } from "../bus/bus.ts";
import type { Connection } from "../db/connection.ts";
import type { FailPoint } from "../observe/fail-point.ts";

/** Whom to freeze: audience/audience-index.ts answers it. */
export interface AudienceQuery {
  readonly resolved: ResolvedTarget;
  readonly rule: AudienceRule;
  readonly accountOrdinal: number;
  readonly type: BulletinType;
}

/** What planning needs to know of an issued bulletin; `A` is the frozen audience, not looked into. */
export interface IssuePlan<A> {
  readonly bulletinId: string;
  readonly type: BulletinType;
  readonly lane: Lane;
  readonly message: Uint8Array;
  readonly expiresAt: Date;
  readonly audience: A;
  readonly channels: readonly ChannelName[];
  readonly communeIds: readonly number[];
  /** Ids of the bulletins that this one replaces or cancels. */
  readonly supersedes: readonly string[];
}

export interface IssuedDispatch {
  readonly dispatchId: string;
  readonly seq: number;
  readonly issuedAt: Date;
}

/** The tree of areas, as far as bulletins ask for it (registry/area.ts). */
export interface BulletinPlaces extends PlaceLookup {
  communesUnder(id: number): readonly { readonly code: string; readonly name: Bilingual }[];
}

export interface BulletinDeps extends Pick<Connection, "db" | "pool"> {
  readonly bus: Pick<Bus, "publish">;
  readonly keys: ServerKeys;
  readonly places: () => BulletinPlaces;
  /** @throws {Problem} area-unknown, target-empty, geometry-invalid and the like. */
  readonly resolve: (target: Target) => Promise<ResolvedTarget>;
}

/** What issue needs beside. */
export interface IssueDeps<A> extends BulletinDeps {
  /** Freezes everybody whose registration was acknowledged before the call. */
  readonly freezeAudience: (query: AudienceQuery) => Promise<A>;
  /**
   * Freezes exactly those who had these bulletins or may have had them, for a Cancel. Runs inside
   * the issuing transaction, so that it can close the old dispatches first.
   */
  readonly freezeReached: (tx: pg.PoolClient, bulletinIds: readonly string[]) => Promise<A>;
  /** Writes dispatch, audience, shards and orders in the issuing transaction. */
  readonly planDispatch: (
    tx: pg.PoolClient,
    plan: IssuePlan<A>,
    dispatchId: string,
  ) => Promise<IssuedDispatch>;
  readonly failPoint?: FailPoint;
}
