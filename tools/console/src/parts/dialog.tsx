// Dialogs: what an action does, why it is done, and what went wrong.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { seen } from "../format";
import { say } from "../words";
import { Field, Note } from "./bits";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={element} aria-label={title} onClose={onClose}>
      <h2>{title}</h2>
      {children}
    </dialog>
  );
}

interface ActionProps {
  title: string;
  hint: string;
  needsReason?: boolean;
  danger?: boolean;
  children?: ComponentChildren;
  /// Does it. What it throws is shown.
  run: (reason: string) => Promise<void>;
  onClose: () => void;
}

/// A dialog for an action with a reason.
export function ActionDialog(props: ActionProps) {
  const [reason, setReason] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    if (props.needsReason && !reason.trim()) {
      setError(say("reasonNeeded"));
      return;
    }
    setBusy(true);
    setError("");
    try {
      await props.run(reason.trim());
      props.onClose();
    } catch (failure) {
      setError(seen(failure instanceof Error ? failure.message : failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form onSubmit={submit}>
        <p>{props.hint}</p>
        {props.children}
        <Field label={say("reason")} value={reason} onInput={setReason} class="wide" />
        {error && <Note kind="bad">{error}</Note>}
        <div class="buttons">
          <button type="button" onClick={props.onClose}>{say("cancel")}</button>
          <button type="submit" disabled={busy} class={props.danger ? "danger" : "main"}>
            {props.title}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
