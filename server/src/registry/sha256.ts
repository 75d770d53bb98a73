// SHA-256 (FIPS 180-4) for short messages by the million. Calling into OpenSSL for each costs
// more than hashing one block of 64 bytes here; whoever hashes once uses node:crypto.

const BLOCK_BYTES = 64;
/** What ends a message beside its padding: a one bit in its byte, and 64 bits of length. */
const END_BYTES = 9;

const K = Int32Array.of(
  0x428a2f98,
  0x71374491,
  0xb5c0fbcf,
  0xe9b5dba5,
  0x3956c25b,
  0x59f111f1,
  0x923f82a4,
  0xab1c5ed5,
  0xd807aa98,
  0x12835b01,
  0x243185be,
  0x550c7dc3,
  0x72be5d74,
  0x80deb1fe,
  0x9bdc06a7,
  0xc19bf174,
  0xe49b69c1,
  0xefbe4786,
  0x0fc19dc6,
  0x240ca1cc,
  0x2de92c6f,
  0x4a7484aa,
  0x5cb0a9dc,
  0x76f988da,
  0x983e5152,
  0xa831c66d,
  0xb00327c8,
  0xbf597fc7,
  0xc6e00bf3,
  0xd5a79147,
  0x06ca6351,
  0x14292967,
  0x27b70a85,
  0x2e1b2138,
  0x4d2c6dfc,
  0x53380d13,
  0x650a7354,
  0x766a0abb,
  0x81c2c92e,
  0x92722c85,
  0xa2bfe8a1,
  0xa81a664b,
  0xc24b8b70,
  0xc76c51a3,
  0xd192e819,
  0xd6990624,
  0xf40e3585,
  0x106aa070,
  0x19a4c116,
  0x1e376c08,
  0x2748774c,
  0x34b0bcb5,
  0x391c0cb3,
  0x4ed8aa4a,
  0x5b9cca4f,
  0x682e6ff3,
  0x748f82ee,
  0x78a5636f,
  0x84c87814,
  0x8cc70208,
  0x90befffa,
  0xa4506ceb,
  0xbef9a3f7,
  0xc67178f2,
);
const START = Int32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);

/** Bytes that a message of at most so many takes up with its padding. */
export const paddedBytes = (messageBytes: number): number =>
  Math.ceil((messageBytes + END_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;

/**
 * Makes a hasher of messages that lie at the start of `room`, which has `paddedBytes` for the
 * longest. It overwrites what is behind the message; the eight words that it answers are valid
 * until it is called again.
 */
export function openSha256(room: Uint8Array): (messageBytes: number) => Int32Array {
  const view = new DataView(room.buffer, room.byteOffset, room.byteLength);
  const schedule = new Int32Array(64);
  const state = new Int32Array(8);
  return (messageBytes) => {
    const end = paddedBytes(messageBytes);
    room[messageBytes] = 0x80;
    for (let at = messageBytes + 1; at < end - 4; at++) room[at] = 0;
    // Bits; no message here is as long as 2^32 of them.
    view.setUint32(end - 4, messageBytes * 8);
    for (let i = 0; i < 8; i++) state[i] = START[i] as number;
    for (let at = 0; at < end; at += BLOCK_BYTES) compress(view, at, schedule, state);
    return state;
  };
}

function compress(view: DataView, from: number, w: Int32Array, state: Int32Array): void {
  for (let i = 0; i < 16; i++) w[i] = view.getInt32(from + 4 * i);
  for (let i = 16; i < 64; i++) {
    const early = w[i - 15] as number;
    const late = w[i - 2] as number;
    const s0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const s1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    w[i] = ((((w[i - 16] as number) + s0) | 0) + (((w[i - 7] as number) + s1) | 0)) | 0;
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = g ^ (e & (f ^ g));
    const t1 = ((((h + s1) | 0) + choice) | 0) + (((K[i] as number) + (w[i] as number)) | 0);
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = (a & b) | (c & (a | b));
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (((t1 + s0) | 0) + majority) | 0;
  }
  state[0] = ((state[0] as number) + a) | 0;
  state[1] = ((state[1] as number) + b) | 0;
  state[2] = ((state[2] as number) + c) | 0;
  state[3] = ((state[3] as number) + d) | 0;
  state[4] = ((state[4] as number) + e) | 0;
  state[5] = ((state[5] as number) + f) | 0;
  state[6] = ((state[6] as number) + g) | 0;
  state[7] = ((state[7] as number) + h) | 0;
}

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));
