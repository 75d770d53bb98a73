// JSON Schema as nested lists of HTML: what a field is, and what it may hold.

/** The part of JSON Schema 2020-12 that our contract uses. */
export interface SchemaNode {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly example?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly prefixItems?: readonly SchemaNode[];
  readonly additionalProperties?: boolean | SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
}

const HTML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (char) => HTML[char] ?? char);

/** An id for links within the page. */
export const anchorOf = (kind: string, name: string): string =>
  `${kind}-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;

/** One schema with everything inside it. */
export function renderSchema(schema: SchemaNode): string {
  const description = schema.description ? ` ${escapeHtml(schema.description)}` : "";
  return `<div>${describeType(schema)}${description}</div>${renderInside(schema)}`;
}

function describeType(schema: SchemaNode): string {
  if (schema.$ref) {
    const name = schema.$ref.replace(/^.*\//, "");
    return `<a href="#${anchorOf("schema", name)}"><code>${escapeHtml(name)}</code></a>`;
  }
  const limits = describeLimits(schema);
  const type = schema.enum
    ? schema.enum.map((value) => `<code>${escapeHtml(String(value))}</code>`).join(" | ")
    : `<code>${escapeHtml(typeName(schema))}</code>`;
  return limits ? `${type} <span class="quiet">${escapeHtml(limits)}</span>` : type;
}

function typeName(schema: SchemaNode): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return "one of";
  if (schema.allOf) return "all of";
  const type = [schema.type ?? "any"].flat().join(" or ");
  return schema.format ? `${type} (${schema.format})` : type;
}

function describeLimits(schema: SchemaNode): string {
  const between = (from: number | undefined, to: number | undefined, of: string): string => {
    // 2^53-1 is what "a whole number" means and says nothing to a reader.
    const low = from === undefined || from === Number.MIN_SAFE_INTEGER ? "" : `${from}`;
    const high = to === undefined || to === Number.MAX_SAFE_INTEGER ? "" : `${to}`;
    return low || high ? `${low}…${high} ${of}`.trim() : "";
  };
  const more = (bound: number | undefined, word: string) =>
    bound === undefined ? "" : `${word} ${bound}`;
  return [
    between(schema.minimum, schema.maximum, ""),
    more(schema.exclusiveMinimum, "more than"),
    more(schema.exclusiveMaximum, "less than"),
    between(schema.minLength, schema.maxLength, "characters"),
    between(schema.minItems, schema.maxItems, "entries"),
    schema.default === undefined ? "" : `default ${JSON.stringify(schema.default)}`,
    schema.example === undefined ? "" : `such as ${JSON.stringify(schema.example)}`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}

function renderInside(schema: SchemaNode): string {
  const parts = [
    ...(schema.anyOf ?? schema.oneOf ?? schema.allOf ?? []),
    ...(schema.prefixItems ?? []),
    ...(schema.items ? [schema.items] : []),
  ];
  const values = schema.additionalProperties;
  if (typeof values === "object") parts.push(values);
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) =>
    renderField(name, field, schema.required?.includes(name) ?? false),
  );
  const list = parts.map((part) => `<dd>${renderSchema(part)}</dd>`);
  const all = [...fields, ...list];
  return all.length > 0 ? `<dl>${all.join("\n")}</dl>` : "";
}

function renderField(name: string, field: SchemaNode, required: boolean): string {
  const optional = required ? "" : ' <span class="quiet">may be left out</span>';
  return `<dt><code>${escapeHtml(name)}</code>${optional}</dt><dd>${renderSchema(field)}</dd>`;
}
