// What the bulletin stage is handed by the role that joins the parts. Later stages (audience,
// dispatch) come in as functions, so that this stage knows none of them.
import type { BulletinType, Lane } from "@loa/model/bulletin-type.ts";
import type { Purpose } from "@loa/model/chain-step.ts";
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
  readonly purpose: Purpose;
  readonly type: BulletinType;
  readonly lane: Lane;
  readonly message: Uint8Array;
  readonly expiresAt: Date;
  readonly audience: A;
  readonly channels: readonly ChannelName[];
  readonly communeIds: readonly number[];
  /** Where loudspeakers and carriers are ordered, if that is not everywhere. */
  readonly orderCommuneIds?: readonly number[];
  /** Ids of the bulletins that this one replaces or cancels. */
  readonly supersedes: readonly string[];
}

/** What those are told who had what is replaced, and whom the new bulletin is not for. */
export interface LeavingPlan {
  readonly bulletinId: string;
  readonly dispatchId: string;
  readonly message: Uint8Array;
  readonly expiresAt: Date;
}

/** Whom a correction is sent to (dispatch/chain.ts). */
export interface CorrectedAudience<A> {
  readonly main: A;
  readonly silent: A;
  readonly untoldCommuneIds: readonly number[];
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
  readonly freezeAudience: (query: AudienceQuery, channels: readonly ChannelName[]) => Promise<A>;
  /**
   * Freezes exactly those who have something of these bulletins' chain, for a Cancel. Runs inside
   * the issuing transaction, so that it can close the old dispatches first.
   */
  readonly freezeReached: (tx: pg.PoolClient, bulletinIds: readonly string[]) => Promise<A>;
  /** The same for a correction: who did not have the faulty text, and who did. */
  readonly freezeCorrection: (
    tx: pg.PoolClient,
    bulletinIds: readonly string[],
  ) => Promise<CorrectedAudience<A>>;
  /** Notes that those have to be found and told whom an issued bulletin leaves out. */
  readonly noteLeaving: (tx: pg.PoolClient, leaving: LeavingPlan) => Promise<void>;
  /** Writes dispatch, audience, shards and orders in the issuing transaction. */
  readonly planDispatch: (
    tx: pg.PoolClient,
    plan: IssuePlan<A>,
    dispatchId: string,
  ) => Promise<IssuedDispatch>;
  readonly failPoint?: FailPoint;
}
