// What each browser remembers: language and colours.

import { Store } from "./store";

export type Theme = "system" | "light" | "dark";
export type Language = "en" | "zh";

// A browser may refuse to remember anything; then the settings last as long as the page.
function remembered(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function remember(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // See above.
  }
}

const themeKey = "concerto.theme";
const languageKey = "concerto.language";

function firstTheme(): Theme {
  const theme = remembered(themeKey);
  return theme === "light" || theme === "dark" ? theme : "system";
}

function firstLanguage(): Language {
  const language = remembered(languageKey) ?? navigator.language;
  return language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const theme = new Store<Theme>(firstTheme());
export const language = new Store<Language>(firstLanguage());

export function setTheme(value: Theme): void {
  remember(themeKey, value);
  document.documentElement.dataset["theme"] = value;
  theme.set(value);
}

export function setLanguage(value: Language): void {
  remember(languageKey, value);
  document.documentElement.lang = value === "zh" ? "zh-CN" : "en";
  language.set(value);
}

export function applySettings(): void {
  setTheme(theme.get());
  setLanguage(language.get());
}
