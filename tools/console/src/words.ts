// Words in the language of the page.

import { seen } from "./format";
import { language } from "./settings";
import { english, type Word } from "./words.en";
import { chinese } from "./words.zh";

export type { Word } from "./words.en";

const dictionaries: Record<"en" | "zh", Record<Word, string>> = { en: english, zh: chinese };

export function say(word: Word, values: Record<string, string | number> = {}): string {
  const text = dictionaries[language.get()][word];
  return text
    .replace(/\{(\w+)\?([^:}]*):([^}]*)\}/g, (_, name: string, one: string, others: string) =>
      String(values[name]) === "1" ? one : others)
    .replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}

type Kind = "action" | "damaged" | "event" | "kind" | "result" | "state";

/// A value of the protocol in the language of the page; as it is, if the page has no word for it.
export function named(kind: Kind, value: string): string {
  const word = `${kind}_${value}`;
  return word in english ? say(word as Word) : seen(value);
}
