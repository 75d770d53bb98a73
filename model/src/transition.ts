// The one table of what may happen to a bulletin. Server and buttons ask the same table, and no
// other line of code decides a state.
import type { Bilingual } from "./text.ts";

export const BULLETIN_STATES = [
  "draft",
  "submitted",
  "approved",
  "issued",
  "updated",
  "cancelled",
  "expired",
] as const;
export type BulletinState = (typeof BULLETIN_STATES)[number];

export const STATE_NAMES: Readonly<Record<BulletinState, Bilingual>> = {
  draft: { vi: "dự thảo", en: "draft" },
  submitted: { vi: "chờ duyệt", en: "submitted" },
  approved: { vi: "đã duyệt", en: "approved" },
  issued: { vi: "đã phát", en: "issued" },
  updated: { vi: "đã được thay thế", en: "updated" },
  cancelled: { vi: "đã thu hồi", en: "cancelled" },
  expired: { vi: "hết hiệu lực", en: "expired" },
};

export const ROLES = ["author", "approver", "duty", "manager", "responder", "operator"] as const;
export type Role = (typeof ROLES)[number];

/**
 * `update`, `cancel` and `expire` are done to a bulletin by the issue of another one or by the
 * clock, never by a person; `use` approves by a standing order that two signed beforehand.
 */
export const BULLETIN_ACTIONS = [
  "edit",
  "submit",
  "return",
  "approve",
  "use",
  "issue",
  "update",
  "cancel",
  "expire",
] as const;
export type BulletinAction = (typeof BULLETIN_ACTIONS)[number];

export interface Transition {
  readonly to: BulletinState;
  /** Roles in the bulletin's own agency of which one is enough. Empty: no person does this. */
  readonly by: readonly Role[];
  /** The parent agency's duty member may do it too. */
  readonly parentDuty: boolean;
  /** Approvals given so far are void from here on. */
  readonly voids: boolean;
}

const step = (
  to: BulletinState,
  by: readonly Role[],
  { parentDuty = false, voids = false } = {},
): Transition => ({ to, by, parentDuty, voids });

/** An absent action is not possible in that state. */
export const TRANSITIONS: Readonly<
  Record<BulletinState, Readonly<Partial<Record<BulletinAction, Transition>>>>
> = {
  draft: {
    edit: step("draft", ["author"]),
    submit: step("submitted", ["author"]),
    use: step("approved", ["author", "approver", "duty"]),
  },
  submitted: {
    edit: step("draft", ["author"]),
    return: step("draft", ["author", "approver", "duty"], { parentDuty: true }),
    approve: step("approved", ["approver", "duty"], { parentDuty: true }),
  },
  approved: {
    edit: step("draft", ["author"], { voids: true }),
    return: step("draft", ["author", "approver", "duty"], { parentDuty: true, voids: true }),
    issue: step("issued", ["author", "approver", "duty"], { parentDuty: true }),
  },
  issued: {
    update: step("updated", []),
    cancel: step("cancelled", []),
    expire: step("expired", []),
  },
  updated: {},
  cancelled: {},
  expired: {},
};

export type Standpoint =
  /** A member of the bulletin's own agency. */
  | "member"
  /** A member of the agency directly above it. */
  | "parent"
  | "foreign";

export type Verdict =
  | { readonly allowed: true; readonly transition: Transition }
  | { readonly allowed: false; readonly why: "state" | "role" | "foreign" };

/** Whether somebody may do this to a bulletin in this state. */
export function mayAct(
  state: BulletinState,
  action: BulletinAction,
  standpoint: Standpoint,
  roles: readonly Role[],
): Verdict {
  const transition = TRANSITIONS[state][action];
  if (transition === undefined) return { allowed: false, why: "state" };
  if (standpoint === "foreign") return { allowed: false, why: "foreign" };
  const enough =
    standpoint === "member"
      ? transition.by.some((role) => roles.includes(role))
      : transition.parentDuty && roles.includes("duty");
  return enough ? { allowed: true, transition } : { allowed: false, why: "role" };
}
