// Whether an agency may send a bulletin: asked at submit, at approval and at issue, since an
// entitlement may be taken away in between.
import { checkEntitlement } from "@loa/model/entitlement.ts";
import { Problem } from "@loa/model/problem.ts";
import type { ResolvedTarget } from "@loa/model/target.ts";
import { readAccount, readAgency } from "../account/account.ts";
import { insideBy } from "../account/jurisdiction.ts";
import type { BulletinDeps } from "./bulletin-deps.ts";
import type { Bulletin } from "./bulletin-row.ts";

/**
 * A Cancel takes back what went out under an entitlement, so it is not asked for one again: a
 * wrong warning must be taken back even by an agency that was suspended because of it.
 * @throws {Problem} not-entitled, listing every breach.
 */
export async function requireEntitlement(
  deps: Pick<BulletinDeps, "db" | "places">,
  bulletin: Pick<Bulletin, "agencyId" | "accountId" | "msgType" | "content">,
  resolved: ResolvedTarget,
): Promise<void> {
  if (bulletin.msgType === "Cancel") return;
  const agency = await readAgency(deps.db, bulletin.agencyId);
  if (agency.suspended) throw new Problem("not-entitled", "The agency is suspended.");
  const account = await readAccount(deps.db, bulletin.accountId);
  if (!account.verified || account.agencyId !== agency.id)
    throw new Problem("not-entitled", `The account ${account.handle} is not the agency's own.`);
  const insideAny = insideBy(deps.places());
  const faults = checkEntitlement(bulletin.content, resolved, agency.entitlement, insideAny);
  if (faults.length > 0)
    throw new Problem(
      "not-entitled",
      `${agency.name.vi} may not send this.`,
      faults.map(({ at, what }) => ({ at: `/content${at}`, what })),
    );
}
