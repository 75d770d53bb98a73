// What the drill and its witness say to each other over Node's own channel between a process and
// its child. Facts about thousands of people travel as typed arrays.
import type { Behaviour, GatewayAccess } from "@loa/api/loopback-control.ts";

/** Somebody who connects for real. The index is the drill's own number of that person. */
export interface LivePerson {
  readonly index: number;
  readonly token: string;
  /** Gets messages and never acknowledges them. */
  readonly isSilent: boolean;
}

export type Question =
  /** Opens the sink. */
  | { readonly kind: "open" }
  /** What time is it there? For comparing the clocks of two processes. */
  | { readonly kind: "clock" }
  | {
      readonly kind: "sink";
      readonly gateway: GatewayAccess;
      readonly behaviour: Partial<Behaviour>;
    }
  /** Connects everybody; answered when each of them has been greeted. */
  | {
      readonly kind: "connect";
      readonly stream: string;
      readonly people: readonly LivePerson[];
      /** Lanes whose events are no oddity; warnings where nothing is said. */
      readonly lanes?: readonly string[];
    }
  /** What to end and remove if the drill is killed and cannot do it itself. */
  | { readonly kind: "guard"; readonly pid: number; readonly folders: readonly string[] }
  | { readonly kind: "count"; readonly dispatchId: string }
  | { readonly kind: "testify"; readonly dispatchId: string }
  | { readonly kind: "close" };

/** What has arrived so far, for the progress bar and for knowing when it is over. */
export interface Counts {
  readonly connected: number;
  readonly liveMessages: number;
  readonly liveAcknowledged: number;
  readonly loopbackMessages: number;
  /** Receipts and order reports of the sink that the server has not answered. */
  readonly waiting: number;
  /** Receipts that the server refused, or that could not be kept. */
  readonly notTaken: number;
  readonly lastProblem: string;
}

/** A message body as it arrived, and over which ways. */
export interface SeenBody {
  readonly sha256: string;
  readonly text: string;
  readonly live: number;
  readonly loopback: number;
  readonly area: number;
}

/** Everything that the receiving side knows of one dispatch. */
export interface Testimony {
  readonly live: {
    /** The drill's numbers of the people who connected. */
    readonly index: Uint32Array;
    /** How many times each got the message. */
    readonly times: Uint8Array;
    /** When each got it first: Unix milliseconds on the witness's clock; 0 for never. */
    readonly firstAtMs: Float64Array;
    /** 1 for each whose acknowledgement the server took. */
    readonly acknowledged: Uint8Array;
  };
  readonly loopback: {
    readonly ordinal: Uint32Array;
    readonly times: Uint8Array;
    readonly firstAtMs: Float64Array;
  };
  readonly bodies: readonly SeenBody[];
  readonly orders: readonly {
    readonly areaCode: string;
    readonly timesAsked: number;
    readonly fate: "carried-out" | "refused";
    readonly claimed: number;
    readonly bodySha256: string;
  }[];
  /** Messages of other dispatches, broken events and ended connections: there should be none. */
  readonly oddities: readonly string[];
}

export interface AnswerOf {
  readonly open: { readonly port: number };
  readonly clock: { readonly nowMs: number };
  readonly sink: "done";
  readonly connect: { readonly connected: number };
  readonly guard: "done";
  readonly count: Counts;
  readonly testify: Testimony;
  readonly close: "done";
}
