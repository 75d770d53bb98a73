// What happened to one recipient on one channel: monotone planes, and the one current
// state that follows from them.
//
// A plane is a fact and is never taken back: sent, delivered, read, failed, unsure,
// suppressed, expired. Facts arrive in any order and more than once; because a plane is
// a bit that is only ever set, order and repetition cannot change the result.

/** The facts, in bit order: the position is the bit in stored planes, so it never changes. */
export const PLANES = [
  "sent",
  "delivered",
  "read",
  "failed",
  "unsure",
  "suppressed",
  "expired",
] as const;
export type Plane = (typeof PLANES)[number];
export const planeBit = (plane: Plane): number => 1 << PLANES.indexOf(plane);

/** The exclusive current states; their counts sum to the planned recipients of a channel. */
export const STATES = [
  "queued",
  "sent",
  "delivered",
  "read",
  "failed",
  "unsure",
  "suppressed",
  "expired",
] as const;
export type State = (typeof STATES)[number];

/** Which fact wins: read > delivered > failed > unsure > sent > suppressed > expired > queued. */
export const PRECEDENCE = [
  "read",
  "delivered",
  "failed",
  "unsure",
  "sent",
  "suppressed",
  "expired",
] as const satisfies readonly Plane[];

/** For each of the 128 combinations of planes, the index into STATES of the current state. */
export const STATE_OF_PLANES: Uint8Array = Uint8Array.from({ length: 128 }, (_, planes) => {
  const winner = PRECEDENCE.find((plane) => (planes & planeBit(plane)) !== 0);
  return winner === undefined ? 0 : STATES.indexOf(winner);
});

export const stateOf = (planes: number): State =>
  STATES[STATE_OF_PLANES[planes] as number] as State;

export type StateCounts = Record<State, number>;
/** Cumulative: read implies delivered, delivered implies sent. */
export type ReachedCounts = { sent: number; delivered: number; read: number };

export const emptyStates = (): StateCounts => ({
  queued: 0,
  sent: 0,
  delivered: 0,
  read: 0,
  failed: 0,
  unsure: 0,
  suppressed: 0,
  expired: 0,
});

/** The figures of one channel of one dispatch, for all or for one commune, for residents or concerned. */
export interface ChannelFigures {
  readonly planned: number;
  readonly state: StateCounts;
  readonly reached: ReachedCounts;
}

export interface CommuneFigures {
  readonly areaId: number;
  readonly channels: Record<string, { residents: ChannelFigures; concerned: ChannelFigures }>;
}

/** All figures of one dispatch, exact at the moment of asking. */
export interface DispatchSummary {
  readonly dispatchId: string;
  readonly residents: number;
  readonly concerned: number;
  readonly channels: Record<string, ChannelFigures>;
  readonly communes: readonly CommuneFigures[];
  /** People who came into the area after the freeze and saw it; outside every sum. */
  readonly joinedLater: number;
  /** Receipts that did not count, by channel and reason. */
  readonly refusals: readonly { channel: string; reason: string; refused: number }[];
}
