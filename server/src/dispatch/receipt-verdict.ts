// What the ledger says of a single receipt. Receipts of many senders travel in one request, and each
// sender is told about its own.

/** The position is the code. `known`: it changed nothing. */
export const RECEIPT_VERDICTS = [
  "accepted",
  "known",
  /** For somebody who is not in the dispatch, or not on this channel. */
  "foreign",
  "unknown-dispatch",
  /** The figures are final. */
  "sealed",
] as const;
export type ReceiptVerdictName = (typeof RECEIPT_VERDICTS)[number];

export const verdictCode = (name: ReceiptVerdictName): number => RECEIPT_VERDICTS.indexOf(name);
