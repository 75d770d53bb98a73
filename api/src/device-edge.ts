// The device edge: the live stream and what devices and gateways report back. It has a port of its
// own; the API answers 307 to it for each of these addresses.
import { z } from "@hono/zod-openapi";
import { PACKED_BYTES_MAX, PACKED_RECEIPTS_MEDIA_TYPE } from "./packed-receipts.ts";
import { defineRoute } from "./route.ts";

/** Most receipts that a device reports at once. */
export const DEVICE_RECEIPTS_MAX = 100;
/** Most places that a device says it is in, and dispatches that it says it has. */
export const STREAM_PLACES_MAX = 16;
export const STREAM_HAVE_MAX = 64;
const DEVICE_RECEIPTS_MAX_BYTES = 32 * 1024;

const NOUN = "Devices";

export const openStream = defineRoute({
  method: "get",
  path: "/v1/stream",
  noun: NOUN,
  summary: "Hold the live stream open",
  description:
    "Server-Sent Events: `hello` first, then `warning` and `notice` as they are issued, each with " +
    "the whole signed message as JSON, and `bye` with a reason before the server closes. On " +
    "connecting, what is in force for this person or place is sent first. A header " +
    "`Last-Event-ID` works like `cursor`. A message holds the words for residents in `texts` and " +
    "those for the concerned in `concerned`: a device whose home is in `areas`, or that is there, " +
    "shows the former, every other one the latter.",
  access: { kind: "device" },
  servedBy: "stream",
  query: z.strictObject({
    ticket: z.string().optional().meta({ description: "One-use ticket in place of the header" }),
    cursor: z.string().optional().meta({ description: "The id of the last event that was read" }),
    have: z
      .string()
      .optional()
      .meta({ description: `Dispatches that need not be sent, at most ${STREAM_HAVE_MAX}` }),
    at: z
      .string()
      .optional()
      .meta({ description: `Communes where the device is, at most ${STREAM_PLACES_MAX}` }),
  }),
  answer: { status: 200, description: "The stream", mediaType: "text/event-stream" },
});

export const createStreamTicket = defineRoute({
  method: "post",
  path: "/v1/stream/tickets",
  noun: NOUN,
  summary: "Get a ticket for one stream",
  description: "For browsers, whose EventSource sends no header: a secret never lasts in a URL.",
  access: { kind: "device" },
  servedBy: "stream",
  idempotency: "none",
  answer: {
    status: 201,
    description: "A ticket that opens one stream",
    schema: z
      .strictObject({ ticket: z.string(), expiresAt: z.iso.datetime({ offset: true }) })
      .meta({ id: "StreamTicket" }),
  },
});

export const deviceReceiptsSchema = z
  .strictObject({
    receipts: z
      .array(
        z.strictObject({
          dispatch: z.uuid(),
          plane: z.enum(["delivered", "read"]),
          at: z.iso.datetime({ offset: true }).meta({
            description: "The device's clock: a claim, kept as such",
          }),
        }),
      )
      .max(DEVICE_RECEIPTS_MAX),
  })
  .meta({ id: "DeviceReceipts" });

export const reportReceipts = defineRoute({
  method: "post",
  path: "/v1/receipts",
  noun: NOUN,
  summary: "Report what this device received and its person read",
  description: "In any order and as often as you like: a fact counts once.",
  access: { kind: "device" },
  servedBy: "stream",
  idempotency: "none",
  body: { form: "json", schema: deviceReceiptsSchema, maxBytes: DEVICE_RECEIPTS_MAX_BYTES },
  answer: {
    status: 200,
    description: "How many count, how many were known, and which were refused",
    schema: z
      .strictObject({
        accepted: z.int(),
        known: z.int(),
        refused: z.array(z.strictObject({ dispatch: z.string(), reason: z.string() })),
      })
      .meta({ id: "ReceiptsAnswer" }),
  },
  problems: ["receipts-invalid", "busy"],
});

export const reportGatewayReceipts = defineRoute({
  method: "post",
  path: "/v1/gateways/{channel}/receipts",
  noun: NOUN,
  summary: "Report what a channel's far side knows, packed",
  description:
    "Nine bytes for each receipt, after a header of the dispatch's id and the count; " +
    "api/src/packed-receipts.ts is the definition and both directions of the code.",
  access: { kind: "gateway" },
  servedBy: "stream",
  idempotency: "none",
  params: z.strictObject({ channel: z.string() }),
  body: {
    form: "bytes",
    mediaType: PACKED_RECEIPTS_MEDIA_TYPE,
    maxBytes: PACKED_BYTES_MAX,
  },
  answer: {
    status: 200,
    description: "How many count, how many were known, and how many were refused",
    schema: z
      .strictObject({ accepted: z.int(), known: z.int(), refused: z.int() })
      .meta({ id: "GatewayReceiptsAnswer" }),
  },
  problems: ["receipts-invalid", "dispatch-unknown", "busy"],
});

export const deviceEdgeRoutes = [
  openStream,
  createStreamTicket,
  reportReceipts,
  reportGatewayReceipts,
];
