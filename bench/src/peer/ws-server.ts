// The live channel as most people build it: a WebSocket server that sends a message to each of its
// clients in a loop. It knows nobody, keeps nothing and notes nothing.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
await once(server, "listening");
process.on("disconnect", () => process.exit(0));
process.on("SIGTERM", () => process.exit(0));
process.on("message", (text: string) => {
  for (const client of server.clients) client.send(text);
});
process.send?.((server.address() as AddressInfo).port);
