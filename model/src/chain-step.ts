// What a bulletin is within the chain of one incident. CAP knows three kinds of message; people who
// warn know five, and đính chính, thu hồi, tin cuối cùng and hết hiệu lực are four different things
// (the last is no step: nobody issues it, time does). The step decides who is told, and how loudly.
import type { MsgType } from "./bulletin.ts";
import type { Bilingual } from "./text.ts";

export const CHAIN_STEPS = ["alert", "update", "correction", "last", "cancel"] as const;
export type ChainStep = (typeof CHAIN_STEPS)[number];

export const STEP_NAMES: Readonly<Record<ChainStep, Bilingual>> = {
  alert: { vi: "bản tin đầu", en: "first bulletin" },
  update: { vi: "bản tin cập nhật", en: "update" },
  correction: { vi: "đính chính", en: "correction" },
  last: { vi: "tin cuối cùng", en: "last bulletin" },
  cancel: { vi: "thu hồi", en: "cancel" },
};

/** How CAP says it. */
export const MSG_TYPE_OF: Readonly<Record<ChainStep, MsgType>> = {
  alert: "Alert",
  update: "Update",
  correction: "Update",
  last: "Update",
  cancel: "Cancel",
};

/**
 * The sendings of one bulletin. `main`: to whom it is for. `left`: to those who had what it
 * replaces and whom it is not for. `silent`: a corrected text to those who had the faulty one.
 */
export const PURPOSES = ["main", "left", "silent"] as const;
export type Purpose = (typeof PURPOSES)[number];

/** The sendings that a step can have. */
export const PURPOSES_OF: Readonly<Record<ChainStep, readonly Purpose[]>> = {
  alert: ["main"],
  update: ["main", "left"],
  correction: ["main", "left", "silent"],
  last: ["main", "left"],
  cancel: ["main"],
};
