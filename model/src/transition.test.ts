import fc from "fast-check";
import { expect, test } from "vitest";
import {
  BULLETIN_ACTIONS,
  BULLETIN_STATES,
  type BulletinState,
  mayAct,
  ROLES,
  TRANSITIONS,
} from "./transition.ts";

test("no path leads out of a final state", () => {
  for (const state of ["updated", "cancelled", "expired"] as const)
    expect(TRANSITIONS[state]).toEqual({});
});

test("every path to issued passes through approved", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...BULLETIN_ACTIONS), { maxLength: 12 }), (actions) => {
      let state = "draft" as BulletinState;
      for (const action of actions) {
        const to = TRANSITIONS[state][action]?.to;
        const skipped = to === "issued" && state !== "approved";
        const quiet = to === "approved" && action !== "approve" && action !== "use";
        expect(skipped || quiet).toBe(false);
        state = to ?? state;
      }
    }),
  );
});

test("whatever leaves approved without issue voids the approval", () => {
  for (const transition of Object.values(TRANSITIONS.approved))
    expect(transition.voids).toBe(transition.to !== "issued");
});

test("an issued bulletin is changed by no person", () => {
  for (const role of ROLES)
    for (const action of BULLETIN_ACTIONS)
      expect(mayAct("issued", action, "member", [role]).allowed).toBe(false);
});

test("a stranger may do nothing, a parent only what its duty member may", () => {
  for (const state of BULLETIN_STATES)
    for (const action of BULLETIN_ACTIONS) {
      expect(mayAct(state, action, "foreign", ROLES).allowed).toBe(false);
      const others = ROLES.filter((role) => role !== "duty");
      expect(mayAct(state, action, "parent", others).allowed).toBe(false);
    }
  expect(mayAct("submitted", "approve", "parent", ["duty"]).allowed).toBe(true);
});
