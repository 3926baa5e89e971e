// What /metrics says, in the text format of Prometheus.

export interface Sample {
  labels: Record<string, string>;
  value: number;
}

export type Metrics = Map<string, Sample[]>;

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const label = /(\w+)="((?:\\.|[^"\\])*)"/g;

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
}

function numberOf(text: string): number {
  return text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text);
}

export function parseMetrics(text: string): Metrics {
  const metrics: Metrics = new Map();
  for (const each of text.split("\n")) {
    const found = line.exec(each);
    if (!found) continue;
    const labels: Record<string, string> = {};
    for (const [, name, value] of (found[2] ?? "").matchAll(label)) {
      labels[name as string] = unescape(value as string);
    }
    const name = found[1] as string;
    const samples = metrics.get(name);
    const sample = { labels, value: numberOf(found[3] as string) };
    if (samples) samples.push(sample);
    else metrics.set(name, [sample]);
  }
  return metrics;
}

type Wanted = Record<string, string>;

function fits(sample: Sample, wanted: Wanted): boolean {
  return Object.entries(wanted).every(([name, value]) => sample.labels[name] === value);
}

/// The sum of the samples with these labels; not a number if there are none.
export function total(metrics: Metrics, name: string, wanted: Wanted = {}): number {
  const samples = (metrics.get(name) ?? []).filter((sample) => fits(sample, wanted));
  return samples.length === 0 ? NaN : samples.reduce((sum, sample) => sum + sample.value, 0);
}

export function valuesOf(metrics: Metrics, name: string, labelName: string): string[] {
  const values = (metrics.get(name) ?? []).map((sample) => sample.labels[labelName] ?? "");
  return [...new Set(values)];
}

/// How much a counter has grown; not a number if it is not there any more. A counter that begins
/// anew, as after a restart, counts from 0.
export function growth(older: Metrics, newer: Metrics, name: string, wanted: Wanted = {}): number {
  const now = total(newer, name, wanted);
  const before = total(older, name, wanted);
  if (Number.isNaN(now)) return NaN;
  return Number.isNaN(before) || now < before ? now : now - before;
}

/// A quantile of what a histogram has counted between the two, in its own unit. Not a number if it
/// has counted nothing.
export function quantile(older: Metrics, newer: Metrics, name: string, q: number,
                         wanted: Wanted = {}): number {
  const bounds = valuesOf(newer, `${name}_bucket`, "le")
    .map((le) => ({ le, bound: numberOf(le) }))
    .sort((a, b) => a.bound - b.bound);
  const counts = bounds.map(({ le }) => growth(older, newer, `${name}_bucket`, { ...wanted, le }));
  const all = counts[counts.length - 1] ?? 0;
  if (!(all > 0)) return NaN;
  const rank = q * all;
  const at = counts.findIndex((each) => each >= rank);
  const below = at > 0 ? { bound: bounds[at - 1]!.bound, count: counts[at - 1]! }
                       : { bound: 0, count: 0 };
  const above = { bound: bounds[at]!.bound, count: counts[at]! };
  if (!Number.isFinite(above.bound)) return below.bound;
  const part = (rank - below.count) / Math.max(1e-9, above.count - below.count);
  return below.bound + part * (above.bound - below.bound);
}
