// What an action would do, before it is done.

import { useEffect, useState } from "preact/hooks";

import { act, token } from "../api";
import { isCommon } from "../faults";
import { count, seen } from "../format";
import type { Preview } from "../types";
import { say } from "../words";
import { Note, StatusMark } from "./bits";

/// Nobody has typed for so long.
const settledMs = 250;
const againMs = 4000;

interface Previewed {
  preview: Preview | undefined;
  error: string;
}

/// Asks for a preview of a request; again, if no answer comes.
export function usePreview(path: string, request: Record<string, unknown>): Previewed {
  const [state, setState] = useState<Previewed>({ preview: undefined, error: "" });
  // A skip is not looked at without a reason. This one is for nobody.
  const text = JSON.stringify({ ...request, reason: "preview", dryRun: true });
  const credentials = token.use();
  useEffect(() => {
    setState({ preview: undefined, error: "" });
    let timer = 0;
    let ends = false;
    const ask = async () => {
      try {
        const preview = await act<Preview>("POST", path, { body: JSON.parse(text) });
        if (!ends) setState({ preview, error: "" });
      } catch (failure) {
        if (ends || !(failure instanceof Error)) return;
        setState({ preview: undefined, error: seen(failure.message) });
        if (isCommon(failure) && failure.fault !== "token") {
          timer = window.setTimeout(ask, againMs);
        }
      }
    };
    timer = window.setTimeout(ask, settledMs);
    return () => {
      ends = true;
      clearTimeout(timer);
    };
  }, [path, text, credentials]);
  return state;
}

/// What holds an action up, or refuses it. `isOne`: the action is on one transaction.
export function PreviewNotes({ preview, isOne }: { preview: Preview; isOne: boolean }) {
  const failures = preview.errors ?? [];
  return (
    <>
      {preview.paused && <Note kind="warn">{say("previewPaused")}</Note>}
      {(preview.held ?? 0) > 0 && (
        <Note kind="warn">{isOne ? say("heldOne")
          : say("held", { count: count(preview.held ?? 0) })}</Note>)}
      {isOne ? failures.slice(0, 1).map((each) => (
        <Note key={each.gid} kind="warn">{say("refusedOne", { error: seen(each.error) })}</Note>))
        : (preview.refused ?? 0) > 0 && (
          <>
            <p><strong>{say("refusedMany", { count: count(preview.refused ?? 0) })}</strong></p>
            <ul class="plain">
              {failures.map((each) => (
                <li key={each.gid}>{seen(each.gid)}: {seen(each.error)}</li>))}
            </ul>
          </>)}
    </>
  );
}

/// The preview of an action on many transactions.
export function ManyPreview({ path, request }: {
  path: string; request: Record<string, unknown> }) {
  const { preview, error } = usePreview(path, request);
  const sentence = preview?.complete !== false ? "matched" : "matchedMore";
  return (
    <>
      {error && <Note kind="bad">{error}</Note>}
      <div class="preview" aria-live="polite" aria-label={say("preview")} role="group"
           tabIndex={0}>
        {!preview ? !error && say("loading") : (
          <>
            <p><strong>{say(sentence, { count: count(preview.matched) })}</strong></p>
            <PreviewNotes preview={preview} isOne={false} />
            <ul class="plain">
              {preview.sample.map((each) => (
                <li key={each.gid}>{seen(each.gid)} <StatusMark status={each.status} />{" "}
                  <span class="quiet">{seen((each.urls ?? []).join(" "))}</span></li>))}
            </ul>
          </>)}
      </div>
    </>
  );
}

/// The preview of an action on one transaction: what the dialog does not say anyway.
export function OnePreview({ path, request }: {
  path: string; request: Record<string, unknown> }) {
  const { preview } = usePreview(path, request);
  return (
    <div aria-live="polite" aria-label={say("preview")} role="group">
      {preview && <PreviewNotes preview={preview} isOne />}
    </div>
  );
}
