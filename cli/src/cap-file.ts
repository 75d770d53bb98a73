// CAP files for the commands: read from disk or stdin, never more than a message may have, and
// within a time limit, because the reader itself knows no clock.
import { open } from "node:fs/promises";
import { CAP_BYTES_MAX } from "@loa/cap/limit.ts";
import { CAP_REPAIR_NAMES, type CapProblem, type CapRepair } from "@loa/cap/message.ts";
import type { CapReadOptions } from "@loa/cap/read.ts";
import { listOption, type OptionValues, UsageError } from "./command.ts";

/** Time to read one message; the largest takes a fraction of it. */
export const CAP_READ_MS_MAX = 5_000;

/** `-` is stdin. One byte over the limit is enough for the reader to refuse it by name. */
export async function readCapFile(file: string): Promise<Uint8Array> {
  const handle = file === "-" ? undefined : await open(file);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of (handle?.createReadStream({ autoClose: false }) ??
      process.stdin) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size > CAP_BYTES_MAX) break;
    }
  } finally {
    await handle?.close();
  }
  return Buffer.concat(chunks).subarray(0, CAP_BYTES_MAX + 1);
}

export const CAP_READ_OPTIONS = {
  repair: { type: "string", multiple: true },
  sender: { type: "string" },
} as const;

export const CAP_READ_HELP = [
  ["--repair LIST", CAP_REPAIR_NAMES.join(", ")],
  ["--sender SENDER", "of the source, for the repair missing-sender"],
] as const;

/** @throws {UsageError} for a repair that does not exist. */
export function readOptionsOf(values: OptionValues): CapReadOptions {
  const repairs = listOption(values, "repair").map((name): CapRepair => {
    const repair = CAP_REPAIR_NAMES.find((each) => each === name);
    if (repair === undefined)
      throw new UsageError(`--repair knows ${CAP_REPAIR_NAMES.join(", ")}, not ${name}`);
    return repair;
  });
  const start = performance.now();
  const sender = typeof values.sender === "string" ? values.sender : undefined;
  return { repairs, sender, isLate: () => performance.now() - start > CAP_READ_MS_MAX };
}

/** `error   line 12  R2  /alert/info[1]/area[1]/polygon[1]: does not end where it begins`. */
export const problemLine = ({ level, line, rule, path, message }: CapProblem): string =>
  `  ${level.padEnd(7)}  line ${line}  ${rule}  ${path}: ${plainLine(message)}`;

/** Text of strangers goes to a terminal: control characters, which could command it, are dropped. */
export const plainLine = (text: string): string =>
  text.trim().replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ");
