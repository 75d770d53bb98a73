// `loa openapi`: the contract of the API as one document, as the running instance serves it.
import { getOpenApi } from "@loa/api/documentation.ts";
import { answer, type Command } from "../command.ts";

export const openapi: Command = {
  name: "openapi",
  usage: "",
  summary: {
    en: "Print the OpenAPI 3.1 document of the API",
    vi: "In tài liệu OpenAPI 3.1 của API",
  },
  help: [],
  options: {},
  async run({ client, signal }) {
    const response = await client().ask(getOpenApi, { signal });
    const document: unknown = await response.json();
    return answer(document, JSON.stringify(document, null, 2));
  },
};
