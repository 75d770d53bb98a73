// A ledger in a process of its own, for tests that kill it: does one thing to one dispatch, and
// prints what came of it. Reads one JSON document of options from its first argument.
import { planeBit } from "@loa/model/delivery.ts";
import { type ConnectionOptions, openConnection } from "../src/db/connection.ts";
import { Ledger } from "../src/dispatch/ledger.ts";
import { createFailPoints } from "../src/observe/fail-point.ts";
import { createLogger } from "../src/observe/log.ts";

export interface LedgerProcessOptions {
  readonly connection: ConnectionOptions;
  readonly failPoints: string;
  readonly dispatchId: string;
  /** Receipts of "delivered" from these people, or sealing. */
  readonly task: { readonly delivered: readonly number[] } | "seal";
}

const options = JSON.parse(process.argv[2] ?? "{}") as LedgerProcessOptions;
const { dispatchId, task } = options;
const connection = openConnection(options.connection, "ledger-process");
const { pool } = connection;
const failPoint = createFailPoints(options.failPoints);
const ledger = await Ledger.open({ pool, failPoint, log: createLogger("silent", "ledger") });
if (task === "seal") await ledger.seal(dispatchId);
else {
  const { accepted, known } = await ledger.receive([
    {
      dispatchId,
      channel: "loopback",
      ordinals: Uint32Array.from(task.delivered),
      planes: new Uint8Array(task.delivered.length).fill(planeBit("delivered")),
      ms: new Uint32Array(task.delivered.length).fill(5),
    },
  ]);
  process.stdout.write(JSON.stringify({ accepted, known }));
}
await connection.close();
