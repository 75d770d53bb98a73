// The documentation page: plain HTML made from the OpenAPI document. It loads nothing and runs
// nothing, so it can be read on an old phone, offline once saved, and under a CSP that allows only
// its own style.
import { PROBLEMS } from "@loa/api/problems.ts";
import type { buildOpenApi } from "@loa/api/openapi.ts";
import { createHash } from "node:crypto";
import { anchorOf, escapeHtml, renderSchema, type SchemaNode } from "./docs-schema.ts";

type Document = ReturnType<typeof buildOpenApi>;

interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: SchemaNode;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { description: string; content?: Content }>>;
  readonly "x-loa-access": { readonly kind: string; readonly roles?: readonly string[] };
  readonly "x-loa-body-max-bytes"?: number;
  readonly "x-loa-served-by"?: string;
}
type Content = Readonly<Record<string, { readonly schema: SchemaNode }>>;
interface Located {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const STYLE = `
:root { color-scheme: light dark; }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem; }
h1 { line-height: 1.2; } h2 { margin-top: 3rem; border-bottom: 2px solid; }
h3 { margin: 2rem 0 0.3rem; font-size: 1.05rem; }
code { font: 0.92em ui-monospace, monospace; overflow-wrap: anywhere; }
nav ul { padding: 0; display: flex; flex-wrap: wrap; gap: 0.3rem 1rem; list-style: none; }
nav a { display: inline-block; padding: 0.35rem 0; }
dl { margin: 0.3rem 0 0.3rem 1rem; } dt { margin-top: 0.3rem; } dd { margin: 0 0 0 1.2rem; }
details { margin: 0.4rem 0; } summary { cursor: pointer; padding: 0.35rem 0; }
.method { font-weight: 700; text-transform: uppercase; } .quiet { opacity: 0.75; }
:target { outline: 3px solid; outline-offset: 4px; }
`;

/** Only the style above may apply; nothing may be loaded, run, framed or sent. */
export const DOCS_PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
} as const;

/** The page for one document. */
export function renderDocsPage(document: Document): string {
  const operations = listOperations(document);
  const nouns = (document.tags ?? []).map((tag) => ({
    name: tag.name,
    vi: (tag as { "x-name-vi"?: string })["x-name-vi"],
    operations: operations.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  const title = (noun: { name: string; vi: string | undefined }) =>
    noun.vi ? `<span lang="vi">${escapeHtml(noun.vi)}</span> · ${noun.name}` : noun.name;
  const schemas = Object.entries(
    (document.components?.schemas ?? {}) as Record<string, SchemaNode>,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Loa API ${escapeHtml(document.info.version)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1><span lang="vi">Giao diện lập trình của Loa</span><br>Loa API <small>${escapeHtml(document.info.version)}</small></h1>
<p>${escapeHtml(document.info.description ?? "")}</p>
<p>${INTRODUCTION}</p>
</header>
<nav aria-label="Nouns"><ul>
${nouns.map((noun) => `<li><a href="#${anchorOf("noun", noun.name)}">${title(noun)}</a></li>`).join("\n")}
<li><a href="#schemas"><span lang="vi">Lược đồ</span> · Schemas</a></li>
<li><a href="#problems"><span lang="vi">Lỗi</span> · Problems</a></li>
</ul></nav>
<main>
${nouns
  .map(
    (noun) => `<section>
<h2 id="${anchorOf("noun", noun.name)}">${title(noun)}</h2>
${noun.operations.map(renderOperation).join("\n")}
</section>`,
  )
  .join("\n")}
<section>
<h2 id="schemas"><span lang="vi">Lược đồ</span> · Schemas</h2>
${schemas
  .map(([name, schema]) => {
    const id = anchorOf("schema", name);
    return `<h3 id="${id}"><code>${escapeHtml(name)}</code></h3>\n${renderSchema(schema)}`;
  })
  .join("\n")}
</section>
${renderProblems()}
</main>
</body>
</html>
`;
}

const INTRODUCTION =
  "Send a key or token as <code>Authorization: Bearer …</code>, and a fresh random " +
  "<code>Idempotency-Key</code> with each POST (the same one when you repeat it). " +
  'The machine-readable form is <a href="/v1/openapi.json">/v1/openapi.json</a>.';

function listOperations(document: Document): Located[] {
  const paths = (document.paths ?? {}) as unknown as Record<string, Record<string, Operation>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
}

function renderOperation({ method, path, operation }: Located): string {
  const description = operation.description ? `<p>${renderText(operation.description)}</p>` : "";
  return `<article>
<h3 id="${anchorOf("op", operation.operationId)}"><span class="method">${method}</span> <code>${escapeHtml(path)}</code></h3>
<p>${renderText(operation.summary)}. <span class="quiet">${describeAccess(operation)}</span></p>
${description}
${renderParameters(operation)}
${renderBody(operation)}
${renderResponses(operation)}
</article>`;
}

/** Text with `code` in backticks. */
const renderText = (text: string): string =>
  escapeHtml(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");

function describeAccess(operation: Operation): string {
  const { kind, roles = [] } = operation["x-loa-access"];
  const who: Record<string, string> = {
    public: "Open to anyone.",
    gateway: "For a gateway's key.",
    source: "For a CAP source's key.",
    device: "For a device token.",
    member: roles.length > 0 ? `For members who are ${roles.join(" or ")}.` : "For any member.",
  };
  const elsewhere = operation["x-loa-served-by"] ? " Served by the device edge." : "";
  return `${who[kind] ?? ""}${elsewhere}`;
}

function renderParameters({ parameters = [] }: Operation): string {
  if (parameters.length === 0) return "";
  const rows = parameters.map(
    (parameter) => `<dt><code>${escapeHtml(parameter.name)}</code>
<span class="quiet">${parameter.in}${parameter.required ? "" : ", may be left out"}</span></dt>
<dd>${renderSchema(parameter.schema)}</dd>`,
  );
  return `<details open><summary>Parameters</summary><dl>${rows.join("\n")}</dl></details>`;
}

function renderBody(operation: Operation): string {
  if (!operation.requestBody) return "";
  const limit = operation["x-loa-body-max-bytes"];
  const most = limit === undefined ? "" : `, at most ${limit.toLocaleString("en")} bytes`;
  return Object.entries(operation.requestBody.content)
    .map(
      ([mediaType, { schema }]) =>
        `<details><summary>Body: <code>${mediaType}</code>${most}</summary>${renderSchema(schema)}</details>`,
    )
    .join("\n");
}

function renderResponses({ responses }: Operation): string {
  const isProblem = (status: string) => Number(status) >= 400;
  const answers = Object.entries(responses).filter(([status]) => !isProblem(status));
  const problems = Object.entries(responses).filter(([status]) => isProblem(status));
  const codes = problems.flatMap(([, { description }]) =>
    [...description.matchAll(/`([a-z0-9-]+)`/g)].map((match) => match[1] as string),
  );
  return `${answers.map(([status, response]) => renderAnswer(status, response)).join("\n")}
<details><summary>Problems: ${codes.length}</summary><p>${codes
    .map((code) => `<a href="#problem-${code}"><code>${code}</code></a>`)
    .join(", ")}</p></details>`;
}

function renderAnswer(
  status: string,
  { description, content = {} }: { description: string; content?: Content },
): string {
  const bodies = Object.entries(content)
    .map(([mediaType, { schema }]) => `<p><code>${mediaType}</code></p>${renderSchema(schema)}`)
    .join("\n");
  const head = `<strong>${status}</strong> ${renderText(description)}`;
  return bodies ? `<details><summary>${head}</summary>${bodies}</details>` : `<p>${head}</p>`;
}

function renderProblems(): string {
  const rows = Object.entries(PROBLEMS).map(
    ([code, { status, vi, en }]) => `<dt id="problem-${code}"><code>${code}</code> ${status}</dt>
<dd lang="vi">${escapeHtml(vi)}</dd><dd>${escapeHtml(en)}</dd>`,
  );
  return `<section>
<h2 id="problems"><span lang="vi">Lỗi</span> · Problems</h2>
<p>What is refused comes as <code>application/problem+json</code> (RFC 9457): a stable <code>code</code>,
titles in both languages, a <code>detail</code>, and <code>faults</code> that say where.</p>
<dl>${rows.join("\n")}</dl>
</section>`;
}
