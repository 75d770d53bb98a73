import { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { Admission, ADMITTED_PER_TURN } from "./admission.ts";

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
const newSocket = (): Socket => {
  const socket = new Socket();
  sockets.push(socket);
  return socket;
};

test("a few phones are let in at once", () => {
  const inside: Socket[] = [];
  const door = new Admission((socket) => inside.push(socket));
  const few = Array.from({ length: ADMITTED_PER_TURN }, newSocket);
  for (const socket of few) door.add(socket);
  expect(inside).toEqual(few);
});

test("of a crowd so many come in at each turn of the loop, in their order, and nobody is forgotten", async () => {
  const inside: Socket[] = [];
  const door = new Admission((socket) => inside.push(socket));
  const crowd = Array.from({ length: 5 * ADMITTED_PER_TURN + 1 }, newSocket);
  for (const socket of crowd) door.add(socket);
  let before = inside.length;
  expect(before).toBe(ADMITTED_PER_TURN);
  while (inside.length < crowd.length) {
    await turn();
    expect(inside.length - before).toBeLessThanOrEqual(ADMITTED_PER_TURN);
    expect(inside.length).toBeGreaterThan(before);
    before = inside.length;
  }
  expect(inside).toEqual(crowd);
});

test("who gave up while waiting is passed by, and takes nobody's place", async () => {
  const inside: Socket[] = [];
  const door = new Admission((socket) => inside.push(socket));
  const crowd = Array.from({ length: 3 * ADMITTED_PER_TURN }, newSocket);
  for (const socket of crowd) door.add(socket);
  for (const socket of crowd.slice(ADMITTED_PER_TURN, 2 * ADMITTED_PER_TURN)) socket.destroy();
  await turn();
  expect(inside).toEqual([
    ...crowd.slice(0, ADMITTED_PER_TURN),
    ...crowd.slice(2 * ADMITTED_PER_TURN),
  ]);
});

test("closing ends who still waits", () => {
  const door = new Admission(() => {});
  const crowd = Array.from({ length: ADMITTED_PER_TURN + 2 }, newSocket);
  for (const socket of crowd) door.add(socket);
  door.close();
  expect(crowd.filter((socket) => socket.destroyed).length).toBe(2);
});
