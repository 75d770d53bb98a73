// The role that sends: opens the channels and runs shards until told to stop.
import { openAreaLoopbackChannel } from "../channel/area-loopback.ts";
import type { Channel } from "../channel/channel.ts";
import { openLoopbackChannel, openLoopbackOnceChannel } from "../channel/loopback.ts";
import { openNullChannel } from "../channel/null.ts";
import { countChannel } from "../channel/counted.ts";
import { openClaims } from "../dispatch/claim.ts";
import { followComingWarnings } from "../bus/make-way.ts";
import { Worker } from "../dispatch/worker.ts";
import { Counters } from "../observe/counters.ts";
import { startReporting } from "./process-reporter.ts";
import { followShedding } from "./shedding.ts";
import type { RoleContext, RunningRole } from "./role.ts";

export async function startWorker(context: RoleContext): Promise<RunningRole> {
  const { order, connection, bus, lease, log, failPoint } = context;
  const sinkAt = (url: string) => {
    const [host = "127.0.0.1", port = "0"] = url.split(":");
    const { loopbackSlice: sliceSize, loopbackAnswerMs: answerWaitMsMax } = order;
    return { host, port: Number(port), log, sliceSize, answerWaitMsMax };
  };
  const sink = sinkAt(order.loopbackUrl);
  const counters = new Counters();
  const channels: Channel[] = [
    openNullChannel(),
    openLoopbackChannel(sink),
    openLoopbackOnceChannel(sinkAt(order.loopbackOnceUrl)),
    openAreaLoopbackChannel(sink),
  ].map((channel) => countChannel(channel, counters));
  const { pool } = connection;
  const claiming = openClaims(order.connection);
  const shedding = followShedding(bus);
  const coming = followComingWarnings(bus);
  const holdsNotices = () => shedding.holdsNotices() || coming.msLeft() > 0;
  const worker = new Worker({
    pool,
    claims: claiming.pool,
    bus,
    lease,
    channels,
    failPoint,
    log,
    holdsNotices,
  });
  worker.start();
  const stopReporting = startReporting({ bus, role: order.role, counters, pool, lease });
  return {
    async stop() {
      shedding.close();
      coming.close();
      await worker.stop();
      await claiming.close();
      stopReporting();
      await Promise.all(channels.map((channel) => channel.close()));
    },
  };
}
