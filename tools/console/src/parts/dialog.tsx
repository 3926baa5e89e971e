// Dialogs: what an action does, why it is done, and what went wrong.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { needsToken } from "../api";
import { ApiError, type Fault } from "../faults";
import { seen } from "../format";
import { askAgain } from "../server";
import { say, type Word } from "../words";
import { Field, Note } from "./bits";
import { Health } from "./health";
import { tell } from "./toast";
import { TokenForm } from "./token";

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

const sentences: Partial<Record<Fault, Word>> = {
  away: "maybeDone", strange: "maybeDone", unready: "notNow", forbidden: "mayNot",
};

/// What went wrong with an action, in words.
function wordsOf(failure: unknown): string {
  const text = seen(failure instanceof Error ? failure.message : failure);
  const sentence = failure instanceof ApiError ? sentences[failure.fault] : undefined;
  return sentence ? say(sentence, { error: text }) : text;
}

interface ActionProps {
  title: string;
  hint: string;
  needsReason?: boolean;
  /// What else is missing, in words.
  missing?: string | undefined;
  danger?: boolean;
  children?: ComponentChildren;
  /// Does it. What it throws is shown.
  run: (reason: string) => Promise<void>;
  onClose: () => void;
}

/// A dialog for an action with a reason. What was typed stays until the action is done.
export function ActionDialog(props: ActionProps) {
  const [reason, setReason] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const isOpen = useRef(true);
  const asks = needsToken.use();
  useEffect(() => () => {
    isOpen.current = false;
  }, []);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    if (props.needsReason && !reason.trim()) {
      setError(say("reasonNeeded"));
      return;
    }
    if (props.missing) {
      setError(props.missing);
      return;
    }
    setBusy(true);
    setError("");
    try {
      await props.run(reason.trim());
      if (isOpen.current) props.onClose();
    } catch (failure) {
      // Another dialog may be open by now.
      if (isOpen.current) setError(wordsOf(failure));
      else tell(`${props.title}: ${wordsOf(failure)}`);
      if (failure instanceof ApiError && failure.fault === "forbidden") askAgain();
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <Health />
      {asks && <TokenForm />}
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
