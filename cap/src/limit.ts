// Every limit of reading, in one place. A message comes from strangers: each limit is checked
// before what it limits is built, and going over one is an error of rule X3, never a crash.

/** The largest real message seen has 1.7 MB; protects memory. */
export const CAP_BYTES_MAX = 4 * 1024 * 1024;
/** CAP itself is 4 deep, a signature 8; protects those who walk over the tree. */
export const CAP_DEPTH_MAX = 32;
/** Protects memory from a document of nothing but tags. */
export const CAP_ELEMENTS_MAX = 50_000;
/** Of one element; CAP has none but namespaces. Protects the check that no two are the same. */
export const CAP_ATTRIBUTES_MAX = 64;
/** Of a name or a prefix; protects paths and reports. */
export const CAP_NAME_MAX = 256;
/** Points of one message's shapes together; protects memory and geometry that comes after. */
export const CAP_POINTS_MAX = 100_000;
/** Problems that are kept of each level; a message with more is no better known by the rest. */
export const CAP_PROBLEMS_MAX = 200;
/** References of one message; protects whoever looks them up. */
export const CAP_REFERENCES_MAX = 1_000;
/** Comparisons of one polygon's edges with each other; protects time. Beyond: told, not guessed. */
export const CAP_COMPARISONS_MAX = 4_000_000;
/** Signatures that are looked at; real messages have at most two. Protects time. */
export const CAP_SIGNATURES_MAX = 4;
/** Elements after which the reader asks whether its time is over. */
export const CAP_ASK_EVERY = 1_024;

/** What a reader may use. The package knows no clock, so whoever wants a time limit brings one. */
export interface CapLimits {
  /** Whether the time is over; asked now and then. The message is then refused under rule X3. */
  readonly isLate?: (() => boolean) | undefined;
}
/** Canonical form of a message; a long namespace that is used often could make it grow without end. */
export const CAP_CANONICAL_CHARS_MAX = 4 * CAP_BYTES_MAX;
