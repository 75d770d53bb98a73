// Collects what is wrong with a message while it is read.
import type { CapProblem } from "./message.ts";
import type { XmlNode } from "./xml.ts";

/** Problems that are kept; a message with more is no better known by the rest. */
export const CAP_PROBLEMS_MAX = 200;

export interface Report {
  readonly problems: readonly CapProblem[];
  error(rule: string, at: Pick<XmlNode, "path" | "line">, message: string): void;
  warning(rule: string, at: Pick<XmlNode, "path" | "line">, message: string): void;
}

export function createReport(): Report {
  const problems: CapProblem[] = [];
  const add =
    (level: CapProblem["level"]) =>
    (rule: string, { path, line }: Pick<XmlNode, "path" | "line">, message: string): void => {
      if (problems.length < CAP_PROBLEMS_MAX) problems.push({ rule, level, path, line, message });
    };
  return { problems, error: add("error"), warning: add("warning") };
}
