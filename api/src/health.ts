// Is Loa there, and ready; and if it is not: why, since when? Health is for everybody and holds no
// figure. Status and metrics are for operators. None of them holds a person or a secret.
import { z } from "@hono/zod-openapi";
import { bilingual, defineRoute, instantSchema } from "./route.ts";

export const reasonSchema = z
  .strictObject({
    code: z.string().meta({ description: "Stable; docs/operations.md says what to do" }),
    since: instantSchema,
    text: bilingual(500),
  })
  .meta({ id: "HealthReason" });

export const healthSchema = z
  .strictObject({
    status: z.enum(["ready", "degraded", "down"]).meta({
      description:
        "degraded: warnings go out, and something needs a person; down: they do not go out now",
    }),
    reasons: z.array(reasonSchema),
    version: z.string(),
    /** Instants are the database's, so that two machines can be compared. */
    at: z.iso.datetime({ offset: true }),
    database: z.enum(["reachable", "unreachable"]),
  })
  .meta({ id: "Health" });
export type Health = z.infer<typeof healthSchema>;

export const getHealth = defineRoute({
  method: "get",
  path: "/v1/health",
  noun: "Health",
  summary: "Say whether Loa is ready, and if not, why",
  description:
    "Answers 200 as long as the process runs, from memory, at once; read `status` for more.",
  access: { kind: "public" },
  answer: { status: 200, description: "The state of this installation", schema: healthSchema },
});

const count = z.int().nonnegative();
const byChannel = z.strictObject({
  lane: z.string(),
  channel: z.string(),
  state: z.string(),
  count,
});

export const statusSchema = healthSchema
  .omit({ reasons: true })
  .extend({
    reasons: z.array(reasonSchema.extend({ detail: z.string() }).meta({ id: "StatusReason" })),
    shedding: z.enum(["nothing", "bulk", "comfort", "notices"]).meta({
      description: "What gives way to warnings now; each holds those before it",
    }),
    databaseFigures: z
      .strictObject({
        latencyMs: z.number(),
        answeredMsAgo: z.number(),
        bytes: count.nullable(),
      })
      .meta({ description: "Null is: not known, because the database did not answer yet" }),
    disk: z.strictObject({ freeBytes: count, totalBytes: count }).nullable(),
    dispatches: z.array(z.strictObject({ lane: z.string(), state: z.string(), count })),
    shards: z.array(byChannel),
    orders: z.array(byChannel),
    oldestOpenWarningSeconds: z.number().nullable(),
    journalRows: count.nullable(),
    outcomes: z.array(z.strictObject({ channel: z.string(), outcome: z.string(), count })),
    receipts: z.array(z.strictObject({ verdict: z.string(), count })),
    streams: z.strictObject({
      connections: count,
      ended: z.array(z.strictObject({ reason: z.string(), count })),
    }),
    processes: z.array(
      z.strictObject({
        name: z.string(),
        role: z.string(),
        pid: z.int().nullable(),
        isRunning: z.boolean(),
        restarts: count,
        leaseLosses: count,
        residentBytes: count.nullable(),
        heapBytes: count.nullable(),
        eventLoopLagMs: z.number().nullable(),
        openFiles: count.nullable(),
        openFilesMax: count.nullable(),
        uptimeSeconds: z.number().nullable(),
      }),
    ),
    lastBackup: z
      .strictObject({ at: instantSchema, ageSeconds: z.number(), bytes: count })
      .nullable(),
  })
  .meta({ id: "Status" });
export type OperatorStatus = z.infer<typeof statusSchema>;

export const getStatus = defineRoute({
  method: "get",
  path: "/v1/status",
  noun: "Health",
  summary: "Say all that an operator needs to know of this installation",
  description: "Counts of outcomes and receipts are since each process started.",
  access: { kind: "member", roles: ["operator"] },
  answer: { status: 200, description: "State and figures", schema: statusSchema },
});

export const getMetrics = defineRoute({
  method: "get",
  path: "/metrics",
  noun: "Health",
  summary: "Give the same figures in Prometheus's text format",
  description: "Prometheus sends an operator's key as `authorization: credentials_file`.",
  access: { kind: "member", roles: ["operator"] },
  answer: { status: 200, description: "Metrics, version 0.0.4", mediaType: "text/plain" },
});

export const healthRoutes = [getHealth, getStatus, getMetrics];
