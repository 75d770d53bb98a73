// The role that serves the API: it holds the tree of areas and the audience index, and issues
// bulletins. Here the stages are joined; none of them knows the later ones.
import type { Yielding } from "@loa/api/route.ts";
import { Problem } from "@loa/model/problem.ts";
import { createAuthenticator } from "../account/actor.ts";
import { openAudienceIndex } from "../audience/audience-index.ts";
import type { FrozenAudience } from "../audience/freeze.ts";
import { openBackupDesk } from "../backup/backup.ts";
import { expireBulletins } from "../bulletin/read.ts";
import type { IssueDeps } from "../bulletin/bulletin-deps.ts";
import { planDispatch } from "../dispatch/plan.ts";
import { SharedRecipients } from "../dispatch/shared-recipients.ts";
import { mountAccounts } from "../http/accounts.ts";
import { type App, buildApp } from "../http/app.ts";
import { mountAreas } from "../http/areas.ts";
import { mountAudience } from "../http/audience.ts";
import { mountBackups } from "../http/backups.ts";
import { mountBulletins } from "../http/bulletins.ts";
import { mountCapSources } from "../http/cap-sources.ts";
import type { Authenticate } from "../http/caller.ts";
import { mountDevices } from "../http/devices.ts";
import { mountDispatches } from "../http/dispatches.ts";
import { mountDeviceEdgeRedirects, mountDocumentation } from "../http/documentation.ts";
import { mountHealth } from "../http/health.ts";
import { mountIncidents } from "../http/incidents.ts";
import { rememberCallers } from "../http/remembered-caller.ts";
import { renderProblemPage } from "../http/public.ts";
import { mountStandingOrders } from "../http/standing-orders.ts";
import { mountSubscribers } from "../http/subscribers.ts";
import { mountZones } from "../http/zones.ts";
import { loadAreaTree } from "../registry/area.ts";
import { createTargetResolver } from "../registry/target.ts";
import { openTokenGenerations, verifyToken } from "../registry/token.ts";
import { openPoller } from "../source/poll.ts";
import { Receiver } from "../source/receive.ts";
import { Counters } from "../observe/counters.ts";
import { openChain } from "./chain.ts";
import { openOperations, type Operations } from "./operations.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { startReporting } from "./process-reporter.ts";
import type { PublicDoor } from "./public-door.ts";
import { openPublicSite, type PublicSite } from "./public-site.ts";
import type { RoleContext, RunningRole } from "./role.ts";
import { LOA_VERSION as version } from "./version.ts";

/** How often the index follows the registry, expired bulletins are marked and revocations learnt. */
const FOLLOW_EVERY_MS = 1_000;
/** How often the index is saved, so that a restart reads only what came after. */
const SNAPSHOT_EVERY_MS = 60_000;

/** @param door where readers are answered already; it leads to the whole API once that is there. */
export async function startFront(context: RoleContext, door: PublicDoor): Promise<RunningRole> {
  const { order, connection, bus, lease, log, failPoint } = context;
  const { db, pool } = connection;
  let tree = await loadAreaTree(db);
  let resolver = createTargetResolver(db, tree);
  const index = await openAudienceIndex(connection, () => tree);
  // After the index, without which nothing can be issued; shapes are for who draws.
  void Promise.resolve(resolver.warm()).catch((error) => log.error({ err: error }, "shapes"));
  const authenticator = createAuthenticator(db, bus);
  const generations = await openTokenGenerations(pool);

  const authenticate: Authenticate = async (credential) => {
    if (!credential.startsWith("loa1.")) return authenticator.authenticate(credential);
    const claim = verifyToken([order.keys.token], credential);
    if (!claim) throw new Problem("token-invalid", "This is not a device token of this Loa.");
    await generations.catchUp();
    if (!generations.isCurrent(claim))
      throw new Problem("token-invalid", "This device token was revoked; register again.");
    return { kind: "device", who: claim };
  };
  const chain = openChain(pool, bus, index);
  const shared = new SharedRecipients();
  const issue: IssueDeps<FrozenAudience> = {
    db,
    pool,
    bus: {
      publish(subject, body) {
        if (subject === "dispatch.changed") failPoint("plan-committed");
        bus.publish(subject, body);
      },
    },
    keys: order.keys,
    places: () => tree,
    resolve: (target) => resolver.resolve(target),
    async freezeAudience(query, channels) {
      await index.catchUp();
      return index.freeze(query, channels);
    },
    ...chain,
    planDispatch: (tx, plan, dispatchId) =>
      planDispatch(tx, plan, dispatchId, { failPoint, shared }),
    failPoint,
  };

  const counters = new Counters();
  const operations = openOperations({ connection: order.connection, pool, bus, log });
  const stopReporting = startReporting({ bus, role: order.role, counters, pool, lease });
  const remembered = rememberCallers(authenticate);
  const unsubscribe = bus.subscribe("registry.changed", remembered.forget);
  const yielding = (work: Yielding): AbortSignal => {
    const signal = operations.yielding(work);
    if (signal.aborted) counters.add("loa_requests_shed_total", { work });
    return signal;
  };
  const receiver = new Receiver({ ...issue, log });
  const app = buildApp({
    db,
    log,
    authenticate: remembered.authenticate,
    yielding,
    owner: () => lease.id,
    answerPeople: renderProblemPage,
  });
  const site = openPublicSite(context, () => tree, operations.now);
  mountNouns(app, {
    ...context,
    site,
    operations,
    issue,
    receiver,
    index,
    tree: () => tree,
    async areasChanged() {
      tree = await loadAreaTree(db);
      const old = resolver;
      resolver = createTargetResolver(db, tree);
      await resolver.warm();
      await old.close();
      await index.catchUp();
    },
  });
  site.follow(door.origin);
  door.lead(app);

  const poller = openPoller({ pool, log, receiver });
  const followOnce = oneAtATime(() => Promise.all([index.catchUp(), expireBulletins(pool)]));
  // What fails, as while the ledger starts again, is tried again.
  const settleOnce = oneAtATime(() => chain.settle());
  const follow = setInterval(() => {
    followOnce().catch((error) => log.warn({ err: error }, "could not follow the registry"));
    settleOnce().catch((error) => log.warn({ err: error }, "could not find who is left out"));
  }, FOLLOW_EVERY_MS);
  const save = () => index.saveSnapshot().catch((error) => log.warn({ err: error }, "snapshot"));
  const saving = setInterval(() => void save(), SNAPSHOT_EVERY_MS);
  return {
    port: door.port,
    async stop() {
      clearInterval(follow);
      clearInterval(saving);
      await door.close();
      await poller.close();
      await settleOnce().catch(() => {});
      await site.close();
      unsubscribe();
      stopReporting();
      await operations.close();
      await save();
      await resolver.close();
      await index.close();
      authenticator.close();
    },
  };
}

interface NounDeps extends RoleContext {
  readonly issue: IssueDeps<FrozenAudience>;
  readonly receiver: Receiver<FrozenAudience>;
  readonly index: Awaited<ReturnType<typeof openAudienceIndex>>;
  readonly tree: () => Awaited<ReturnType<typeof loadAreaTree>>;
  readonly areasChanged: () => Promise<void>;
  readonly operations: Operations;
  readonly site: PublicSite;
}

function mountNouns(app: App, deps: NounDeps): void {
  const { order, connection, bus, issue, index, tree, areasChanged, operations, site } = deps;
  const { db, pool } = connection;
  const streamOrigin = () => order.streamUrl;
  mountAreas(app, { db, pool, tree, areasChanged });
  mountZones(app, { db, tree });
  mountAudience(app, { db, index, resolve: issue.resolve, tree });
  mountSubscribers(app, { db, pool, bus, tree, tokenKey: order.keys.token });
  mountDevices(app, { db, pool, bus, tree, tokenKey: order.keys.token, streamOrigin });
  mountAccounts(app, { db, bus, keys: order.keys, places: tree });
  mountIncidents(app, { db, pool });
  mountBulletins(app, issue);
  mountStandingOrders(app, issue);
  mountCapSources(app, { db, pool, bus, places: tree, receiver: deps.receiver });
  mountDispatches(app, { pool, bus, tree });
  mountDeviceEdgeRedirects(app, { streamOrigin });
  mountBackups(app, { backups: openBackupDesk({ ...order, pool, version, log: deps.log }) });
  site.mount(app);
  mountHealth(app, { version, look: operations.look });
  mountDocumentation(app, { version });
}
