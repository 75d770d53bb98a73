// The tables as TypeScript sees them, for Kysely. The truth is in db/migrations/*.sql.
import type { ColumnType, Generated } from "kysely";

type Json<T> = ColumnType<T, string, string>;
type Bytes = ColumnType<Buffer, Uint8Array, Uint8Array>;
type Instant = ColumnType<Date, Date | string, Date | string>;
type Default<T> = ColumnType<T, T | undefined, T>;

export interface Database {
  area_pack: {
    id: Generated<number>;
    name: string;
    valid_from: string;
    state: "active" | "superseded";
    activated_at: Generated<Date>;
  };
  area: {
    id: Generated<number>;
    pack_id: number;
    code: string;
    level: string;
    kind: string | null;
    parent_id: number | null;
    name_vi: string;
    name_en: string;
    population: number | null;
    geometry: Json<unknown> | null;
  };
  area_successor: {
    pack_id: number;
    old_code: string;
    old_name: string | null;
    new_area_id: number;
    part: boolean;
  };
  zone: {
    id: string;
    code: string;
    agency_id: string | null;
    name_vi: string;
    name_en: string;
    geometry: Json<unknown> | null;
    area_ids: Default<number[]>;
    retired_at: Instant | null;
  };
  agency: {
    id: string;
    parent_id: string | null;
    name_vi: string;
    name_en: string;
    entitlement: Json<unknown>;
    suspended_at: Instant | null;
  };
  official_account: {
    id: string;
    ordinal: Generated<number>;
    agency_id: string;
    handle: string;
    name_vi: string;
    name_en: string;
    verified_at: Instant | null;
  };
  person: { id: string; name: string };
  member: {
    id: string;
    person_id: string;
    agency_id: string;
    post_vi: string;
    post_en: string;
    roles: string[];
    revoked_at: Instant | null;
  };
  api_key: {
    sha256: Bytes;
    member_id: string | null;
    gateway: string | null;
    source_id: string | null;
    label: string;
    created_at: Generated<Date>;
    revoked_at: Instant | null;
  };
  cap_source: { id: string; name: string };
  subscriber: {
    ordinal: number;
    id: string | null;
    kind: "person" | "organisation";
    standing: "public" | "exercise";
    home_area_id: number;
    home_village_id: number | null;
    place_area_ids: number[] | null;
    follow_ordinals: number[] | null;
    endpoint_bits: number;
    consent_id: number;
    consent_at: Instant;
    generation: Default<number>;
    deleted_at: Instant | null;
  };
  consent: { id: Generated<number>; version: string; basis: string };
  raised_generation: { ordinal: number; generation: number };
  withdrawal: { id: string; at: Instant };
  endpoint: { ordinal: number; kind: string; address: string };
  ordinal_block: { first_ordinal: number; size: number; area_id: number; used: Default<number> };
  ordinal_frontier: { one: Default<boolean>; next: Default<number> };
  registry_change: {
    id: Generated<number>;
    xid: Generated<string>;
    at: Generated<Date>;
    kind: "range" | "subscriber";
    first_ordinal: number;
    last_ordinal: number;
    before: Json<unknown> | null;
    after: Json<unknown> | null;
  };
  index_snapshot: {
    part: number;
    cluster: string;
    position: string;
    taken_at: Generated<Date>;
    body: Bytes;
  };
  import_run: {
    id: string;
    source: string;
    basis: string;
    member_id: string | null;
    started_at: Generated<Date>;
    finished_at: Instant | null;
    read: Default<number>;
    added: Default<number>;
    known: Default<number>;
    rejected: Default<number>;
  };
  incident: {
    id: string;
    agency_id: string;
    hazard: string;
    name_vi: string;
    name_en: string;
    created_at: Generated<Date>;
  };
  standing_order: {
    id: string;
    agency_id: string;
    account_id: string;
    body: Json<unknown>;
    hash: Bytes;
    created_by: string;
    created_at: Generated<Date>;
    expires_at: Instant;
    revoked_at: Instant | null;
  };
  bulletin: {
    id: string;
    agency_id: string;
    account_id: string;
    incident_id: string | null;
    standing_order_id: string | null;
    type: "Actual" | "Exercise" | "PublicTest";
    msg_type: "Alert" | "Update" | "Cancel";
    kind: "warning" | "notice";
    state: string;
    version: Default<number>;
    content: Json<unknown>;
    reference_ids: Default<string[]>;
    step: Default<"alert" | "update" | "correction" | "last" | "cancel">;
    unknown_references: Default<string[]>;
    created_at: Generated<Date>;
    resolved: Json<unknown> | null;
    hash: Bytes | null;
    identifier: string | null;
    issued_at: Instant | null;
    signature: Bytes | null;
    key_id: string | null;
    expires_at: Instant | null;
  };
  bulletin_event: {
    id: Generated<number>;
    bulletin_id: string;
    at: Generated<Date>;
    person_id: string | null;
    member_id: string | null;
    action: string;
    version: number;
    reason: string | null;
    content: Json<unknown> | null;
  };
  approval: {
    id: string;
    bulletin_id: string | null;
    standing_order_id: string | null;
    hash: Bytes;
    hash_version: number;
    person_id: string;
    capacity: "member" | "parent-duty" | "standing-order";
    at: Instant;
    key_id: string;
    signature: Bytes;
    voided_at: Instant | null;
  };
  standing_order_use: {
    bulletin_id: string;
    standing_order_id: string;
    used_by: string;
    used_at: Generated<Date>;
    filled: Json<unknown>;
    reviewed_by: string | null;
    reviewed_at: Instant | null;
    verdict: string | null;
    comment: string | null;
  };
  publication: {
    bulletin_id: string;
    code: string;
    seq: Generated<number>;
    record: Json<unknown>;
    cap: Bytes;
    published_at: Generated<Date>;
  };
  idempotency: {
    scope: string;
    key: string;
    request_hash: Bytes;
    status: number | null;
    body: Bytes | null;
    content_type: string | null;
    is_deflated: Generated<boolean>;
    created_at: Generated<Date>;
    owner: string | null;
  };
  process: { id: string; role: string; lease_until: Instant };
  lane: { lane: "warning" | "notice"; seq: number };
  dispatch: {
    id: string;
    bulletin_id: string;
    type: "Actual" | "Exercise" | "PublicTest";
    lane: "warning" | "notice";
    seq: number;
    state: "open" | "cancelled" | "expired" | "sealed";
    issued_at: Instant;
    expires_at: Instant;
    closed_at: Instant | null;
    message: Bytes;
    supersedes: Default<string[]>;
    residents: number;
    concerned: number;
    commune_ids: number[];
    channels: string[];
    purpose: Default<"main" | "left" | "silent">;
    message_commune_ids: number[] | null;
  };
  leaving: { bulletin_id: string; dispatch_id: string; message: Bytes; expires_at: Instant };
  audience: { dispatch_id: string; communes: Bytes };
  shard: {
    dispatch_id: string;
    channel: string;
    shard: number;
    lane: "warning" | "notice";
    seq: number;
    planned: number;
    recipients: Bytes | null;
    same_as: string | null;
    cursor: Default<number>;
    intent: Default<number>;
    epoch: Default<number>;
    owner: string | null;
    state: "open" | "closing" | "closed";
  };
  journal: {
    id: Generated<number>;
    xid: Generated<string>;
    dispatch_id: string;
    channel: string;
    shard: number;
    entries: Bytes;
  };
  dispatch_sum: { dispatch_id: string; figures: Json<unknown>; reduced_at: Generated<Date> };
  fold: { dispatch_id: string; channel: string; shard: number; position: string; body: Bytes };
  receipt_refusal: {
    dispatch_id: string;
    channel: string;
    reason: string;
    refused: Default<number>;
  };
  area_order: {
    id: string;
    dispatch_id: string;
    channel: string;
    area_id: number;
    lane: "warning" | "notice";
    seq: number;
    state:
      | "prepared"
      | "handed-over"
      | "accepted"
      | "carried-out"
      | "refused"
      | "unsure"
      | "suppressed"
      | "expired";
    epoch: Default<number>;
    owner: string | null;
    claimed: number | null;
    evidence: string | null;
    changed_at: Generated<Date>;
  };
}
