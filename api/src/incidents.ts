// Incidents: one storm, flood or epidemic, the thread to which bulletins belong.
import { z } from "@hono/zod-openapi";
import { hazardSchema, textsSchema } from "./bulletin-content.ts";
import { defineRoute, idParams, idSchema, instantSchema, page, pageQuery } from "./route.ts";

export const incidentSchema = z
  .strictObject({
    id: idSchema,
    agencyId: idSchema,
    hazard: hazardSchema,
    name: textsSchema,
    createdAt: instantSchema,
  })
  .meta({ id: "Incident" });

export const listIncidents = defineRoute({
  method: "get",
  path: "/v1/incidents",
  noun: "Incidents",
  summary: "List incidents, newest first",
  access: { kind: "member", roles: [] },
  query: pageQuery.extend({ after: idSchema.optional() }),
  answer: { status: 200, description: "A page of incidents", schema: page(incidentSchema) },
});

export const getIncident = defineRoute({
  method: "get",
  path: "/v1/incidents/{id}",
  noun: "Incidents",
  summary: "Show an incident",
  access: { kind: "member", roles: [] },
  params: idParams,
  answer: { status: 200, description: "The incident", schema: incidentSchema },
  problems: ["incident-unknown"],
});

export const createIncident = defineRoute({
  method: "post",
  path: "/v1/incidents",
  noun: "Incidents",
  summary: "Open an incident",
  access: { kind: "member", roles: ["author", "duty"] },
  body: {
    form: "json",
    schema: z.strictObject({ hazard: hazardSchema, name: textsSchema }),
  },
  answer: { status: 201, description: "The incident", schema: incidentSchema },
});

export const incidentRoutes = [listIncidents, getIncident, createIncident];
