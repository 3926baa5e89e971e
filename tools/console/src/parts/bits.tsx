// Small parts of many views.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { serverNow } from "../clock";
import { ApiError, isCommon } from "../faults";
import { seen } from "../format";
import { say } from "../words";

export function StatusMark({ status }: { status: string }) {
  return <span class={`status status-${seen(status)}`}>{seen(status)}</span>;
}

export function Note({ kind, children, ...rest }: { kind: "warn" | "bad" | "info"; class?: string;
                                                    children: ComponentChildren }) {
  return (
    <p class={`note note-${kind} ${rest.class ?? ""}`} role={kind === "bad" ? "alert" : "status"}>
      {children}</p>);
}

/// What is wrong with a view alone. The frame says what is wrong with the whole page.
export function Problem({ error }: { error: Error | undefined }) {
  if (!error || isCommon(error)) return null;
  const isForbidden = error instanceof ApiError && error.fault === "forbidden";
  return (
    <Note kind="bad">
      {say(isForbidden ? "mayNot" : "failedView", { error: seen(error.message) })}</Note>);
}

export function Loading() {
  return <p class="quiet" role="status">{say("loading")}</p>;
}

/// In place of what has not come: it is awaited, or, after an error, not known.
export function Awaited({ error }: { error: Error | undefined }) {
  return error ? <p class="empty">{say("notKnown")}</p> : <Loading />;
}

/// Says that a list is empty. After an error, that was so once and is not known any more.
export function Empty({ error, children }: { error: Error | undefined;
                                             children: ComponentChildren }) {
  return <p class="empty">{error ? say("notKnown") : children}</p>;
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

/// The server's time, every second.
export function useNow(): number {
  const [now, setNow] = useState(serverNow());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(serverNow()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

interface CheckProps {
  label: string;
  value: boolean;
  onChange: (value: boolean) => void;
}

export function Check({ label, value, onChange }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={value}
             onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
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
