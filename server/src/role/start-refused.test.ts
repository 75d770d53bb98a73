// What a person is told whose Loa cannot listen.
import { createServer } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { listenFaultOf, refuseToListen } from "./start-refused.ts";

const faultOf = async (host: string, port: number): Promise<unknown> => {
  const server = createServer().listen(port, host);
  const [error] = (await once(server, "error")) as [unknown];
  return error;
};
const at = { host: "127.0.0.1", port: 8081, setting: "LOA_STREAM_PORT" };

test("a port in use, an address of another machine and an unknown name are told apart", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const inUse = listenFaultOf(await faultOf("127.0.0.1", port));
  taken.close();
  expect(inUse).toEqual({ code: "EADDRINUSE", port });
  expect(refuseToListen(inUse ?? { code: "", port: 0 }, at).message).toContain(
    `port ${port} on 127.0.0.1 is in use by another program. End that program, or set LOA_STREAM_PORT`,
  );
  // TEST-NET-1 (RFC 5737): no machine has it.
  const elsewhere = listenFaultOf(await faultOf("192.0.2.7", 0));
  expect(elsewhere?.code).toBe("EADDRNOTAVAIL");
  const refused = refuseToListen(elsewhere ?? { code: "", port: 0 }, { ...at, host: "192.0.2.7" });
  expect(refused.message).toContain("192.0.2.7 is not an address of this machine. Set LOA_HOST");
  expect(refused.message).toContain("Hãy đặt LOA_HOST");
});

test("what is no fault of listening is our fault, and stays one", () => {
  expect(listenFaultOf(new TypeError("undefined is not a function"))).toBeUndefined();
  const connecting = Object.assign(new Error("refused"), { code: "EACCES", syscall: "connect" });
  expect(listenFaultOf(connecting)).toBeUndefined();
});
