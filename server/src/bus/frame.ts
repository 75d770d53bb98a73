// The wire of the local bus: a length and a structured clone, which carries typed
// arrays without copying them into text.
import type { Socket } from "node:net";
import { deserialize, serialize } from "node:v8";

/** A frame above this is a fault of ours, not a message; the sender throws. */
export const FRAME_BYTES_MAX = 64 * 1024 * 1024;

export type Frame =
  | { readonly kind: "publish"; readonly subject: string; readonly body: unknown }
  | { readonly kind: "subscribe"; readonly subject: string }
  | { readonly kind: "answer"; readonly subject: string }
  | {
      readonly kind: "request";
      readonly subject: string;
      readonly id: number;
      readonly body: unknown;
    }
  | {
      readonly kind: "reply";
      readonly id: number;
      readonly body: unknown;
      readonly fault?: string;
    };

/** Writes one frame. */
export function writeFrame(socket: Socket, frame: Frame): void {
  const payload = serialize(frame);
  if (payload.length > FRAME_BYTES_MAX) throw new Error(`bus frame of ${payload.length} bytes`);
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32LE(payload.length);
  socket.cork();
  socket.write(head);
  socket.write(payload);
  socket.uncork();
}

/** Calls `hear` for each whole frame that arrives on a socket. */
export function readFrames(socket: Socket, hear: (frame: Frame) => void): void {
  let chunks: Buffer[] = [];
  let buffered = 0;
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    buffered += chunk.length;
    while (buffered >= 4) {
      if ((chunks[0] as Buffer).length < 4 || chunks.length > 64) chunks = [Buffer.concat(chunks)];
      const length = (chunks[0] as Buffer).readUInt32LE(0);
      if (length > FRAME_BYTES_MAX) return void socket.destroy();
      if (buffered < 4 + length) return;
      const all = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      const rest = all.subarray(4 + length);
      chunks = rest.length > 0 ? [rest] : [];
      buffered = rest.length;
      hear(deserialize(all.subarray(4, 4 + length)) as Frame);
    }
  });
}
