// What the benchmark and the process that posts receipts say to each other.

export type ToPoster =
  /** Makes ready what a gateway reports: `delivered` of everybody, and of some a second time. */
  | {
      readonly kind: "packed";
      readonly dispatchId: string;
      readonly ordinals: Uint32Array;
      readonly twice: Uint32Array;
    }
  /** Makes ready what phones report: each plane of each dispatch, alone or all in one request. */
  | {
      readonly kind: "json";
      readonly isAtOnce: boolean;
      readonly dispatchIds: readonly string[];
      readonly tokens: readonly string[];
      readonly planes: readonly string[];
    }
  /** Posts what was made ready, over a few connections that stay open. */
  | { readonly kind: "post"; readonly stream: string; readonly key: string };

export interface PosterAnswer {
  /** Receipts in requests that were answered. */
  readonly posted: number;
  readonly ms: number;
  /** Answers that were no 200. */
  readonly problems: number;
}
