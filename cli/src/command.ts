// What a command is: a name, a sentence in two languages, its options, and what it does. A command
// prints nothing itself: it answers a document and a text, and main.ts prints the one that was
// asked for. So `--json` is exactly one document on stdout, by construction.
import type { ParseArgsOptionsConfig } from "node:util";
import type { Client } from "@loa/api/client.ts";

/** The command was called wrongly, or something it needs is not there: exit status 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The values of a command's options, as node:util's parseArgs gives them. */
export type OptionValues = Readonly<
  Record<string, string | boolean | (string | boolean)[] | undefined>
>;

export interface CommandContext {
  /** Made when first asked for, so that a command without a server needs none. */
  readonly client: () => Client;
  readonly values: OptionValues;
  readonly positionals: readonly string[];
  /** Whether the document is wanted; a command that streams rows to stdout must know. */
  readonly isJson: boolean;
  /** For progress and remarks; never for the answer. */
  readonly stderr: NodeJS.WriteStream;
  readonly stdout: NodeJS.WriteStream;
  /** Aborts on Ctrl-C; a command then cleans up and rejects. */
  readonly signal: AbortSignal;
}

export interface CommandAnswer {
  /** False: it ran, and the answer is no (exit status 1). */
  readonly ok: boolean;
  /** What `--json` prints. */
  readonly document: unknown;
  /** What a person reads; empty when the command has written its rows to stdout. */
  readonly text: string;
}

export interface Command {
  /** As it is typed: `areas import`. */
  readonly name: string;
  /** What follows the name, for the help. */
  readonly usage: string;
  readonly summary: { readonly en: string; readonly vi: string };
  /** A line for each option. */
  readonly help: readonly (readonly [option: string, meaning: string])[];
  readonly options: ParseArgsOptionsConfig;
  readonly run: (context: CommandContext) => Promise<CommandAnswer>;
}

/** An answer that is yes. */
export const answer = (document: unknown, text: string): CommandAnswer => ({
  ok: true,
  document,
  text,
});

/** The text of an option, or undefined. */
export function textOption(values: OptionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** @throws {UsageError} when the option is missing. */
export function requiredOption(values: OptionValues, name: string): string {
  const value = textOption(values, name);
  if (value === undefined || value === "") throw new UsageError(`--${name} is needed`);
  return value;
}

/** @throws {UsageError} when it is not a whole number within the bounds. */
export function integerOption(
  values: OptionValues,
  name: string,
  { min, max, fallback }: { min: number; max: number; fallback: number },
): number {
  const text = textOption(values, name);
  if (text === undefined) return fallback;
  const number = Number(text);
  if (text.trim() === "" || !Number.isInteger(number) || number < min || number > max)
    throw new UsageError(`--${name} wants a whole number from ${min} to ${max}, not ${text}`);
  return number;
}

/** The comma-separated parts of an option that may be given several times. */
export function listOption(values: OptionValues, name: string): string[] {
  const value = values[name];
  const given = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return given
    .flatMap((each) => String(each).split(","))
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

/** @throws {UsageError} when the argument is missing. */
export function positional(context: CommandContext, index: number, what: string): string {
  const value = context.positionals[index];
  if (value === undefined) throw new UsageError(`${what} is missing`);
  return value;
}
