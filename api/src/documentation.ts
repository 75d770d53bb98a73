// The API describes itself: as OpenAPI for programs, as a page for people.
import { defineRoute } from "./route.ts";

export const getOpenApi = defineRoute({
  method: "get",
  path: "/v1/openapi.json",
  noun: "Documentation",
  summary: "Get the OpenAPI 3.1 document",
  access: { kind: "public" },
  answer: { status: 200, description: "OpenAPI 3.1", mediaType: "application/json" },
});

export const getDocs = defineRoute({
  method: "get",
  path: "/docs",
  noun: "Documentation",
  summary: "Read the documentation",
  access: { kind: "public" },
  answer: { status: 200, description: "One page, without scripts", mediaType: "text/html" },
});

export const documentationRoutes = [getOpenApi, getDocs];
