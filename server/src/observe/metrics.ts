// The Prometheus text format (version 0.0.4): families of samples as lines. Pure.
// Rule: values and labels only; what a label may hold is decided where the sample is made.
import type { Labels } from "./counters.ts";

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: readonly { readonly labels: Labels; readonly value: number }[];
}

export const METRICS_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A family of one sample without labels; of none, when there is no value. */
export const single = (name: string, help: string, value: number | undefined | null): Family => ({
  name,
  help,
  type: "gauge",
  samples: value === undefined || value === null ? [] : [{ labels: {}, value }],
});

/** Renders families; one without samples is left out, because nothing is known. */
export function renderMetrics(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, type, samples }) =>
      [
        `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
        `# TYPE ${name} ${type}`,
        ...samples.map(({ labels, value }) => `${name}${renderLabels(labels)} ${value}`),
        "",
      ].join("\n"),
    )
    .join("");
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

const escapeLabel = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
