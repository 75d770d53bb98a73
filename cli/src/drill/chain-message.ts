// What arrived, read as a device reads it: whether a message is the step that was issued, for the communes
// that were meant, with what it replaces named, and with words of their own for each group. Pure.
import type { Purpose } from "@loa/model/chain-step.ts";
import type { StageExpectation } from "./chain-plan.ts";
import type { Testimony } from "./witness-protocol.ts";

/** As much of a message as the drill looks at; what is missing is read as undefined. */
export type ArrivedMessage = Partial<{
  readonly dispatch: string;
  readonly bulletin: string;
  readonly step: string;
  readonly purpose: string;
  readonly hash: string;
  readonly areas: readonly string[];
  readonly references: readonly string[];
  readonly texts: { readonly vi: { readonly headline: string } };
  readonly concerned: { readonly vi: { readonly headline: string } };
}>;

/** What the messages of one step should say. */
export interface IssuedAs {
  readonly expected: StageExpectation;
  readonly bulletin: string;
  /** The step before; undefined for the first. */
  readonly replaces: string | undefined;
  readonly approvedHash: string;
}

/** The different messages of one sending, over all ways: there should be one. */
export function messagesOf({ bodies }: Testimony, dispatchId: string): ArrivedMessage[] {
  return bodies
    .map(({ text }) => JSON.parse(text) as ArrivedMessage)
    .filter(({ dispatch }) => dispatch === dispatchId);
}

/** What is wrong with the messages of one sending. */
export function messageFaults(
  { expected, bulletin, replaces, approvedHash }: IssuedAs,
  purpose: Purpose,
  messages: readonly ArrivedMessage[],
): string[] {
  const [message, ...others] = messages;
  if (message === undefined) return [];
  const wanted: readonly [what: string, got: unknown, should: unknown][] = [
    ["different messages", 1 + others.length, 1],
    ["bulletin", message.bulletin, bulletin],
    ["step", message.step, expected.stage.step],
    ["purpose", message.purpose, purpose],
    ["approved hash", message.hash, approvedHash],
    ["replaces", message.references?.join(" "), replaces ?? ""],
    ["communes", message.areas?.toSorted().join(" "), expected.main.communes.join(" ")],
  ];
  const faults = wanted.flatMap(([what, got, should]) =>
    got === should ? [] : [`${purpose}: ${what} ${String(got)}, should be ${String(should)}`],
  );
  const concerned = message.concerned?.vi.headline;
  const hasOwnWords =
    purpose === "left"
      ? concerned === undefined
      : concerned !== undefined && concerned !== message.texts?.vi.headline;
  return hasOwnWords ? faults : [...faults, `${purpose}: the concerned read "${concerned}"`];
}
