// One POST with the patience of a gateway: a server that is away or busy is tried again until
// it answers; an answer that says no is a result, not an exception.
import { setTimeout as pause } from "node:timers/promises";

/** Pauses between attempts grow from the first to the second. */
export const RETRY_MS_MIN = 50;
export const RETRY_MS_MAX = 2_000;
/** One attempt: a server that was stopped keeps a request for ever, and another answers at once. */
export const ATTEMPT_MS_MAX = 10_000;
/** Most of a problem document that is kept to be shown. */
const PROBLEM_CHARACTERS_MAX = 500;

export type PostAnswer =
  | { readonly ok: true; readonly body: string }
  | { readonly ok: false; readonly status: number; readonly problem: string };

export interface PostRequest {
  readonly url: string;
  readonly key: string;
  readonly mediaType: string;
  readonly body: string | Uint8Array;
  /** The same for every attempt, so that the server does it once. */
  readonly idempotencyKey: string;
}

/** Rejects only when `signal` aborts. */
export async function postUntilAnswered(
  request: PostRequest,
  signal: AbortSignal,
): Promise<PostAnswer> {
  for (let pauseMs = RETRY_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, RETRY_MS_MAX)) {
    const response = await fetch(request.url, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${request.key}`,
        "Content-Type": request.mediaType,
        "Idempotency-Key": request.idempotencyKey,
      },
      body: request.body as string | Uint8Array<ArrayBuffer>,
      signal: AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS_MAX)]),
    }).catch(() => undefined);
    signal.throwIfAborted();
    const body = await response?.text().catch(() => undefined);
    signal.throwIfAborted();
    if (response !== undefined && body !== undefined) {
      if (response.ok) return { ok: true, body };
      if (response.status < 500 && response.status !== 429)
        return {
          ok: false,
          status: response.status,
          problem: body.slice(0, PROBLEM_CHARACTERS_MAX),
        };
    }
    await pause(pauseMs, undefined, { signal });
  }
}
