// Devices over HTTP: a citizen's own registration.
import { deleteDevice, getOwnData, moveDevice, registerDevice } from "@loa/api/devices.ts";
import { openStream, reportReceipts } from "@loa/api/device-edge.ts";
import { formatLocalTime } from "@loa/model/local-time.ts";
import type { Bus } from "../bus/bus.ts";
import {
  deleteSubscriber,
  moveSubscriber,
  readSubscriber,
  registerSubscriber,
  type RegistryDeps,
  type SubscriberRecord,
} from "../registry/subscriber.ts";
import { createToken, type TokenKey } from "../registry/token.ts";
import type { App } from "./app.ts";
import { limitRate } from "./rate.ts";

export interface DeviceDeps extends RegistryDeps {
  readonly bus: Pick<Bus, "publish">;
  readonly tokenKey: TokenKey;
  /** Where the stream is reached, without a path. */
  readonly streamOrigin: () => string;
}

/** The basis of whoever registers their own device. */
export const OWN_REGISTRATION = "Người nhận tự đăng ký trên thiết bị của mình";

/**
 * Self-registrations that are taken each second: a province joins in an hour, and a flood of them
 * leaves the database to warnings.
 */
export const REGISTRATIONS_PER_SECOND = 500;
/** Self-registrations that may come at once. */
export const REGISTRATIONS_BURST = 5_000;

export function mountDevices(app: App, deps: DeviceDeps): void {
  const { tokenKey, streamOrigin } = deps;
  // Synthetic people come by list only: nobody becomes unreachable to real warnings by mistake.
  const standing = "public";
  const admit = limitRate({ perSecond: REGISTRATIONS_PER_SECOND, burst: REGISTRATIONS_BURST });

  app.mount(registerDevice, async ({ body, stableId }) => {
    admit();
    const { consentVersion, ...input } = body;
    const { id, ordinal, generation } = await registerSubscriber(deps, {
      ...input,
      id: stableId,
      standing,
      consent: { version: consentVersion, basis: OWN_REGISTRATION, at: "now" },
    });
    return {
      subscriberId: id,
      token: createToken(tokenKey, { standing, ordinal, generation }),
      streamUrl: streamOrigin() + openStream.path,
      receiptsUrl: streamOrigin() + reportReceipts.path,
    };
  });

  app.mount(getOwnData, async ({ caller }) => showSubscriber(await readSubscriber(deps, caller)));

  app.mount(moveDevice, async ({ caller, body }) =>
    showSubscriber(await moveSubscriber(deps, caller, body)),
  );

  app.mount(deleteDevice, async ({ caller }) => {
    await deleteSubscriber(deps, caller);
    deps.bus.publish("registry.changed", { what: "subscribers" });
  });
}

/** A subscriber as the API shows one: everything except the number inside. */
export function showSubscriber(subscriber: SubscriberRecord) {
  const { id, kind, standing, home, places, follows, endpoints, consent } = subscriber;
  return {
    id,
    kind,
    standing,
    home,
    places: [...places],
    follows: [...follows],
    endpoints: [...endpoints],
    consent: { ...consent, at: formatLocalTime(consent.at) },
  };
}
