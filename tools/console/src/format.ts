// How values are shown.

import { language } from "./settings";

// Characters that are obeyed and not seen, such as those that turn the text around them, become
// their numbers.
const hidden = new RegExp("[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c" +
                          "\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]", "g");

/// A text from outside as a person should see it. Components show it as text, never as markup.
export function seen(text: unknown): string {
  return String(text ?? "").replace(
    hidden, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

function locale(): string {
  return language.get() === "zh" ? "zh-CN" : "en-GB";
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clock(): Intl.DateTimeFormat {
  let found = clocks.get(locale());
  if (!found) {
    found = new Intl.DateTimeFormat(locale(), {
      year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
    });
    clocks.set(locale(), found);
  }
  return found;
}

export function when(time: string | null | undefined): string {
  if (!time) return "";
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? seen(time) : clock().format(date);
}

/// The time of a day, of seconds since 1970.
export function timeOfDay(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString(locale(), { hour12: false });
}

const units = {
  en: { ms: "ms", s: "s", m: "m", h: "h", d: "d" },
  zh: { ms: "毫秒", s: "秒", m: "分", h: "小时", d: "天" },
};

/// `90` is `1 m 30 s`.
export function duration(seconds: number): string {
  const { ms, s, m, h, d } = units[language.get()];
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 0.0995) return `${(seconds * 1000).toPrecision(2)} ${ms}`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ${ms}`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} ${s}`;
  const whole = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86400), d], [Math.floor(whole / 3600) % 24, h],
    [Math.floor(whole / 60) % 60, m], [whole % 60, s],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts.slice(first, first + 2).map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}

export function age(time: string | null | undefined, now: number): number {
  return time ? Math.max(0, (now - new Date(time).getTime()) / 1000) : 0;
}

export function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString(locale()) : "–";
}

export function perSecond(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return value < 10 ? value.toFixed(1) : count(value);
}

export function bytes(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function isFinished(status: string): boolean {
  return status === "succeed" || status === "failed";
}
