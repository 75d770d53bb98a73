// What the processes of one installation say to each other: wake-ups and transport.
//
// The ledger in PostgreSQL is the truth. Whoever hears a message reads the database
// before acting on it, and everybody also looks at the database from time to time, so
// losing every message loses nothing but speed. On one machine the bus is a unix socket
// (bus/hub.ts, bus/client.ts); on several it can be NATS JetStream behind this interface.

/** Longest wait for the answer to a request; a slower answer is a `BusTimeout`. */
export const REQUEST_TIMEOUT_MS = 5_000;

/** What a message may hold: whatever the structured-clone algorithm carries, typed arrays included. */
export type BusBody = unknown;

export interface Bus {
  /** Tells everybody who subscribed to `subject`, this process included. Never waits, never throws. */
  publish(subject: Subject, body: BusBody): void;
  /** Hears a subject until the returned function is called. */
  subscribe(subject: Subject, hear: (body: BusBody) => void): () => void;
  /**
   * Asks the one process that answers `subject`.
   * @throws {BusTimeout} when nobody answers in time, {BusRefusal} when the answerer failed.
   */
  request(subject: Subject, body: BusBody, timeoutMs?: number): Promise<BusBody>;
  /** Becomes the process that answers `subject`; a later one takes over from an earlier one. */
  answer(subject: Subject, reply: (body: BusBody) => Promise<BusBody>): void;
  close(): void;
}

/** Every subject there is, with its body. One table, so that nobody invents a second spelling. */
export type Subject =
  /** A warning is about to be issued; what can wait makes way (bus/make-way.ts). Body: {}. */
  | "warning.coming"
  /** A dispatch was committed or changed (planned, cancelled, expired). Body: {dispatchId}. */
  | "dispatch.changed"
  /** Outcomes were committed to the journal. Body: {dispatchId}. */
  | "journal.appended"
  /** Asks the ledger for the figures of a dispatch. Body: {dispatchId}; answer: DispatchSummary. */
  | "ledger.summary"
  /** Asks the ledger who was reached. Body: {dispatchId}; answer: packed bitmaps by channel. */
  | "ledger.reached"
  /** Hands receipts to the ledger. Body: ReceiptBatch; answer, once durable: ReceiptVerdict. */
  | "ledger.receipts"
  /** The registry changed in a way that processes cache (keys revoked, areas activated). Body: {what}. */
  | "registry.changed"
  /** A process says how it is, once a second. Body: ProcessReport (observe/process-report.ts). */
  | "process.report"
  /** What gives way to warnings now, twice a second; silence means nothing. Body: {shedding}. */
  | "shedding";

export class BusTimeout extends Error {
  override name = "BusTimeout";
}

export class BusRefusal extends Error {
  override name = "BusRefusal";
}
