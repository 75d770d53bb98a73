// What a process counts while it runs: a few named sums with labels, plain numbers in memory.
// Rule: labels come from closed lists (a channel, an outcome, a reason), never from a person, a
// message or a caller, so that nothing here can grow or give anybody away.

/** Every sum there is, with the sentence that /metrics prints. */
export const COUNTERS = {
  loa_slices_total: "Slices handed to a channel, by lane and by what the channel said",
  loa_outcomes_total: "Recipients handed to a channel, by their outcome",
  loa_orders_total: "Area orders handed to a channel, by what it said",
  loa_receipts_total: "Receipts that arrived, by the ledger's verdict",
  loa_streams_ended_total: "Live streams that the server ended, by reason; slow is a slow reader",
  loa_requests_shed_total: "Requests of the API that were refused to keep room for warnings",
  loa_lease_losses_total:
    "Times that a process lost its lease: it was stopped, or the database slow",
} as const;
export type CounterName = keyof typeof COUNTERS;

/** Present values that a process reports beside its vitals. */
export const GAUGES = {
  loa_live_connections: "Live streams that are open",
  loa_live_sockets: "Sockets at the device edge, streams included",
  loa_live_outcomes_waiting: "Outcomes of live sends that the journal does not have yet",
  loa_receipts_waiting: "Receipts that the ledger has not answered yet",
  loa_database_queue: "Statements that wait for a connection of the process",
} as const;
export type GaugeName = keyof typeof GAUGES;

export type Labels = Readonly<Record<string, string>>;

/** One sum, or one present value, as it travels over the bus. */
export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/** Label combinations of one process: far above what the closed lists give. */
export const SERIES_MAX = 1_000;

export class Counters {
  readonly #sums = new Map<string, { name: string; labels: Labels; value: number }>();

  add(name: CounterName, labels: Labels, amount = 1): void {
    const key = JSON.stringify([name, labels]);
    const known = this.#sums.get(key);
    if (known) known.value += amount;
    else if (this.#sums.size < SERIES_MAX) this.#sums.set(key, { name, labels, value: amount });
  }

  samples(): Sample[] {
    return [...this.#sums.values()].map((sum) => ({ ...sum }));
  }
}

/** A present value, for a report. */
export const gauge = (name: GaugeName, value: number): Sample => ({ name, labels: {}, value });
