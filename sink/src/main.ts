// The sink as a program: `node sink/src/main.ts --port N [--host H] [--gateway FILE]`.
// It prints one JSON line on stdout when it listens, and ends on SIGTERM, SIGINT or when the
// process that started it closes its stdin (with --while-stdin), so that nothing is left over.
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { gatewaySchema } from "@loa/api/loopback-control.ts";
import { openSink } from "./sink.ts";

const HELP = `Usage: node sink/src/main.ts --port N [--host 127.0.0.1] [--gateway FILE] [--while-stdin]

The far side of the loopback channels: counts, answers and acknowledges.
  --port N        port to listen on; 0 takes any free one
  --host H        address to listen on (127.0.0.1)
  --gateway FILE  JSON with receiptsUrl, receiptsKey, areaOrdersUrl, areaOrdersKey
  --while-stdin   ends when stdin ends
`;

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    host: { type: "string", default: "127.0.0.1" },
    gateway: { type: "string" },
    "while-stdin": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const port = Number(values.port);
if (values.help || values.port === undefined || !Number.isInteger(port)) {
  process.stderr.write(HELP);
  process.exit(values.help ? 0 : 2);
}
const sink = await openSink({ port, host: values.host });
if (values.gateway !== undefined)
  sink.useGateway(gatewaySchema.parse(JSON.parse(await readFile(values.gateway, "utf8"))));
process.stdout.write(`${JSON.stringify({ ready: true, port: sink.port })}\n`);

const end = () => {
  void sink.close().then(() => process.exit(0));
};
process.once("SIGTERM", end);
process.once("SIGINT", end);
if (values["while-stdin"]) process.stdin.once("end", end).resume();
