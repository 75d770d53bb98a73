// What a simulation and its witness say to each other. What arrived travels as columns, in the order
// in which it arrived; a person is known by their ordinal, a dispatch by its place in a list.
import type { Behaviour, GatewayAccess } from "@loa/api/loopback-control.ts";
import type { Way } from "./plan.ts";

/** The ways over which a message can arrive; the code in `Arrivals.way` is the place here. */
export const ARRIVAL_WAYS = ["live", "loopback", "loopback-once"] as const;
export type ArrivalWay = (typeof ARRIVAL_WAYS)[number];

/** A person with a device of their own. */
export interface DevicePerson {
  readonly ordinal: number;
  readonly token: string;
}

/** How devices answer in a run. */
export interface DeviceHabits {
  readonly seed: number;
  readonly silentShare: number;
  readonly twiceShare: number;
}

export type Question =
  /** Opens both far sides. */
  | { readonly kind: "open" }
  | { readonly kind: "guard"; readonly pid: number; readonly folders: readonly string[] }
  | { readonly kind: "gateway"; readonly way: Way; readonly gateway: GatewayAccess }
  /** Connects everybody, who from now on come back by themselves. */
  | { readonly kind: "connect"; readonly stream: string; readonly people: readonly DevicePerson[] }
  /** Forgets what arrived so far: a run begins. */
  | { readonly kind: "begin"; readonly habits: DeviceHabits }
  | { readonly kind: "behave"; readonly way: Way; readonly behaviour: Partial<Behaviour> }
  /** Some devices lose their connection and come back after a while. */
  | {
      readonly kind: "vanish";
      readonly share: number;
      readonly forMs: number;
      readonly seed: number;
    }
  /** Devices say that they got a dispatch that was not for them. */
  | { readonly kind: "claim"; readonly dispatchId: string; readonly ordinals: readonly number[] }
  | { readonly kind: "count" }
  | { readonly kind: "testify" }
  | { readonly kind: "close" };

/** How long a stalled far side holds a slice up; as short as a run can bear. */
export const ANSWER_MS = 3_000;

export interface Counts {
  readonly connected: number;
  readonly devices: number;
  readonly arrivals: number;
  /** Receipts and reports that the server has not answered, by who waits for it. */
  readonly waiting: Readonly<Record<ArrivalWay, number>>;
  /**
   * Whether somebody may still wait for the answer to a slice that a far side took and kept silent
   * about: it is handed over again then, although everybody in it may have said to have it.
   */
  readonly isWithholding: boolean;
  /** Devices that said of each dispatch that they got it, and were believed. */
  readonly acknowledged: Readonly<Record<string, number>>;
}

/** What arrived, one row for each message and person, in order of arrival. */
export interface Arrivals {
  /** Ids, named by their place here. */
  readonly dispatches: readonly string[];
  readonly dispatch: Uint16Array;
  readonly way: Uint8Array;
  readonly ordinal: Uint32Array;
  /** The connection that it came over: of a worker to a far side, or of a device. */
  readonly line: Uint32Array;
  /** Loopback: the number of the slice that it came in. */
  readonly slice: Uint32Array;
}

/** A message body as it arrived. */
export interface SeenBody {
  readonly dispatchId: string;
  readonly text: string;
  readonly messages: number;
}

export interface Testimony {
  readonly arrivals: Arrivals;
  readonly bodies: readonly SeenBody[];
  /** Who said that they got it and was believed, by dispatch. */
  readonly acknowledged: Readonly<Record<string, Uint32Array>>;
  /** Verdicts about what devices claimed that they did not get, by reason. */
  readonly claimVerdicts: Readonly<Record<string, number>>;
  readonly orders: readonly {
    readonly dispatchId: string;
    readonly areaCode: string;
    readonly timesAsked: number;
    readonly fate: "carried-out" | "refused";
    readonly claimed: number;
  }[];
  /** What should not happen and is nobody's arrival. */
  readonly oddities: readonly string[];
}

export interface AnswerOf {
  readonly open: { readonly loopback: number; readonly once: number };
  readonly guard: "done";
  readonly gateway: "done";
  readonly connect: "done";
  readonly begin: "done";
  readonly behave: "done";
  readonly vanish: number;
  readonly claim: "done";
  readonly count: Counts;
  readonly testify: Testimony;
  readonly close: "done";
}
