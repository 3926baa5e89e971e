// Small parts of many views.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { seen } from "../format";
import { say } from "../words";

export function StatusMark({ status }: { status: string }) {
  return <span class={`status status-${seen(status)}`}>{seen(status)}</span>;
}

export function Note({ kind, children }: { kind: "warn" | "bad" | "info";
                                           children: ComponentChildren }) {
  return <p class={`note note-${kind}`} role={kind === "bad" ? "alert" : "status"}>{children}</p>;
}

export function Problem({ error }: { error: Error | undefined }) {
  return error ? <Note kind="bad">{say("offline", { error: seen(error.message) })}</Note> : null;
}

export function Loading() {
  return <p class="quiet" role="status">{say("loading")}</p>;
}

export function Heading({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="heading">
      <h1>{title}</h1>
      {children}
    </div>
  );
}

interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  type?: string;
  class?: string;
  inputMode?: "numeric";
}

export function Field({ label, value, onInput, type = "text", inputMode, ...rest }: FieldProps) {
  return (
    <label class={`field ${rest.class ?? ""}`}>
      <span>{label}</span>
      <input type={type} value={value} autocomplete="off" spellcheck={false}
             {...(inputMode ? { inputMode } : {})}
             onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}

export function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([key, text]) => <option key={key} value={key}>{text}</option>)}
      </select>
    </label>
  );
}

/// The time, every second.
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/// `value`, once it has not changed for `ms`.
export function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
