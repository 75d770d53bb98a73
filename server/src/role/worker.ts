// The role that sends: opens the channels and runs shards until told to stop.
import { openAreaLoopbackChannel } from "../channel/area-loopback.ts";
import type { Channel } from "../channel/channel.ts";
import { openLoopbackChannel } from "../channel/loopback.ts";
import { openNullChannel } from "../channel/null.ts";
import { Worker } from "../dispatch/worker.ts";
import type { RoleContext, RunningRole } from "./role.ts";

export async function startWorker(context: RoleContext): Promise<RunningRole> {
  const { order, connection, bus, lease, log, failPoint } = context;
  const [host = "127.0.0.1", port = "0"] = order.loopbackUrl.split(":");
  const sink = { host, port: Number(port), log };
  const channels: Channel[] = [
    openNullChannel(),
    openLoopbackChannel(sink),
    openAreaLoopbackChannel(sink),
  ];
  const worker = new Worker({ pool: connection.pool, bus, lease, channels, failPoint, log });
  worker.start();
  return {
    async stop() {
      await worker.stop();
      await Promise.all(channels.map((channel) => channel.close()));
    },
  };
}
