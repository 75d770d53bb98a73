// Is Loa there, and ready? The smallest noun, and the pattern for the others.
import { z } from "@hono/zod-openapi";
import { defineRoute } from "./route.ts";

export const healthSchema = z
  .strictObject({
    status: z.enum(["ready", "starting"]).meta({
      description: "starting: the API answers, but the audience index is still catching up",
    }),
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
  summary: "Say whether Loa is ready",
  description: "Answers 200 as long as the process runs; read `status` for more.",
  access: { kind: "public" },
  answer: { status: 200, description: "The state of this installation", schema: healthSchema },
});

export const healthRoutes = [getHealth];
