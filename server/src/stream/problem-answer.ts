// Refusals of the device edge, as problem documents (RFC 9457). They are written below Hono, so
// this file turns a Problem into bytes for a raw socket and into parts for node:http.
import { STATUS_CODES } from "node:http";
import { PROBLEM_MEDIA_TYPE, PROBLEMS, renderProblem } from "@loa/api/problems.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Logger } from "../observe/log.ts";

/** Seconds after which somebody who was told `busy` or `unavailable` may ask again. */
export const RETRY_AFTER_SECONDS = 2;

/** An answer without its framing. */
export interface Answer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Renders what was thrown. What is no Problem is a fault of ours: logged, and said without details. */
export function refuse(thrown: unknown, path: string, apiOrigin: string, log: Logger): Answer {
  if (!(thrown instanceof Problem)) log.error({ err: thrown, path }, "the device edge failed");
  const problem =
    thrown instanceof Problem
      ? thrown
      : new Problem("internal-error", "This is our fault; it was logged.");
  const document = renderProblem(problem, path);
  const isPassing = problem.code === "busy" || problem.code === "unavailable";
  const wantsKey = problem.code === "key-missing" || problem.code === "token-invalid";
  return {
    status: PROBLEMS[problem.code].status,
    fields: {
      "Content-Type": PROBLEM_MEDIA_TYPE,
      ...(isPassing ? { "Retry-After": String(RETRY_AFTER_SECONDS) } : {}),
      ...(wantsKey ? { "WWW-Authenticate": "Bearer" } : {}),
    },
    body: JSON.stringify({ ...document, type: `${apiOrigin}${document.type}` }),
  };
}

export const answerJson = (value: unknown): Answer => ({
  status: 200,
  fields: { "Content-Type": "application/json" },
  body: JSON.stringify(value),
});

/** What every answer of the device edge carries. Browsers of any origin may read it. */
export const COMMON_FIELDS: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Access-Control-Allow-Origin": "*",
};

const COMMON_LINES = Object.entries(COMMON_FIELDS)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join("");

/** An answer as HTTP/1.1, for a socket that no server of Node's holds. */
export function writeAnswer(answer: Answer, keepAlive: boolean): string {
  let fields = "";
  for (const name in answer.fields) fields += `${name}: ${answer.fields[name]}\r\n`;
  const length = Buffer.byteLength(answer.body);
  return (
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n${fields}${COMMON_LINES}` +
    `Content-Length: ${length}\r\nConnection: ${keepAlive ? "keep-alive" : "close"}\r\n\r\n` +
    answer.body
  );
}
