// The audience over HTTP. What a target comes down to and who is there is worked out in memory.
import { estimateAudience } from "@loa/api/audience.ts";
import { Problem } from "@loa/model/problem.ts";
import type { ResolvedTarget, Target } from "@loa/model/target.ts";
import type { AudienceIndex } from "../audience/audience-index.ts";
import type { Db } from "../db/connection.ts";
import type { AreaTree } from "../registry/area.ts";
import type { App } from "./app.ts";

export interface AudienceDeps {
  readonly db: Db;
  readonly index: Pick<AudienceIndex, "catchUp" | "estimate">;
  readonly resolve: (target: Target) => Promise<ResolvedTarget>;
  readonly tree: () => AreaTree;
}

/** No account has this ordinal: nobody follows it. */
const NO_ACCOUNT = -1;

export function mountAudience(app: App, { db, index, resolve, tree }: AudienceDeps): void {
  app.mount(estimateAudience, async ({ body }) => {
    const { target, type, audienceRule: rule, accountId } = body;
    const accountOrdinal =
      rule === "residents" ? NO_ACCOUNT : await findAccountOrdinal(db, accountId);
    const [resolved] = await Promise.all([resolve(target), index.catchUp()]);
    const estimate = index.estimate({ resolved, rule, accountOrdinal, type });
    const shares = new Map(resolved.communes.map(({ areaId, share }) => [areaId, share]));
    return {
      ...estimate,
      communes: estimate.communes.map(({ areaId, ...people }) => {
        const area = tree().byId(areaId);
        return {
          code: area?.code ?? String(areaId),
          name: { vi: area?.name.vi ?? "", en: area?.name.en ?? "" },
          coveredShare: shares.get(areaId) ?? null,
          ...people,
        };
      }),
    };
  });
}

async function findAccountOrdinal(db: Db, accountId: string | undefined): Promise<number> {
  const wrong = (what: string) =>
    new Problem("request-invalid", `/accountId: ${what}`, [{ at: "/accountId", what }]);
  if (accountId === undefined) throw wrong("say whose followers are meant");
  const account = await db
    .selectFrom("official_account")
    .select("ordinal")
    .where("id", "=", accountId)
    .executeTakeFirst();
  if (!account) throw wrong("there is no such account");
  return account.ordinal;
}
