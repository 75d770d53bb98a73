// GET /v1/health for everybody, /v1/status and /metrics for operators. All three answer from memory:
// they must say what is wrong also while the database does not answer.
import { getHealth, getMetrics, getStatus, type Health } from "@loa/api/health.ts";
import type { OperationFigures } from "../report/operations.ts";
import { METRICS_MEDIA_TYPE, renderMetrics } from "../observe/metrics.ts";
import { type Reason, REASONS, type Shedding, statusOf } from "../observe/reason.ts";
import type { Facts } from "../observe/watch.ts";
import type { App } from "./app.ts";
import { describeMetrics } from "./health-metrics.ts";
import { describeStatus } from "./health-status.ts";

/** What is known of the installation at one instant. */
export interface InstallationState {
  readonly at: Date;
  readonly reasons: readonly Reason[];
  readonly shedding: Shedding;
  readonly facts: Facts;
  /** Undefined until the database answered for the first time. */
  readonly figures: OperationFigures | undefined;
}

export interface HealthDeps {
  readonly version: string;
  readonly look: () => InstallationState;
}

export function mountHealth(app: App, { version, look }: HealthDeps): void {
  app.mount(getHealth, async () => describeHealth(look(), version));
  app.mount(getStatus, async () => {
    const state = look();
    return describeStatus(state, describeHealth(state, version));
  });
  app.mount(
    getMetrics,
    async () =>
      new Response(renderMetrics(describeMetrics(look(), version)), {
        headers: { "content-type": METRICS_MEDIA_TYPE },
      }),
  );
}

/** What is said of the state; the reasons are all that it needs. */
export function describeHealth(
  { at, reasons }: Pick<InstallationState, "at" | "reasons">,
  version: string,
): Health {
  const isAway = reasons.some(({ code }) => code === "database-unreachable" || code === "starting");
  return {
    status: statusOf(reasons),
    reasons: reasons.map(({ code, since }) => {
      const { vi, en } = REASONS[code];
      return { code, since: since.toISOString(), text: { vi, en } };
    }),
    version,
    at: at.toISOString(),
    database: isAway ? "unreachable" : "reachable",
  };
}
