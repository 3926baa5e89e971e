// Actions on many transactions: those that are selected, or all that fit. A preview comes first.

import { useEffect, useState } from "preact/hooks";

import { act, type Parameters, paths } from "../api";
import { count, seen } from "../format";
import { pathOf } from "../route";
import { has, server } from "../server";
import type { Acted, Job, Preview } from "../types";
import { say, type Word } from "../words";
import { StatusMark, Field, Note } from "./bits";
import { ActionDialog } from "./dialog";
import { tell } from "./toast";

type Bulk = "retry" | "stop" | "skip";

const titles: Record<Bulk, Word> = { retry: "retryNow", stop: "forceStop", skip: "skip" };
const openers: Record<Bulk, Word> = { retry: "retryAll", stop: "stopAll", skip: "skipAll" };
const hints: Record<Bulk, Word> = { retry: "retryHint", stop: "stopHint", skip: "skipHint" };

interface Props {
  /// If it is empty, the action is on all that fit.
  selected: ReadonlySet<string>;
  selection: Parameters;
  clear: () => void;
  done: () => void;
}

/// What the request names: gids, or the selection of the list.
function chosen({ selected, selection }: Props): Record<string, unknown> {
  return selected.size > 0 ? { gids: [...selected] } : { select: selection };
}

export function BulkBar(props: Props) {
  const [bulk, setBulk] = useState<Bulk>();
  const known = server.use();
  const all: Bulk[] = ["retry", "stop", "skip"];
  return (
    <div class="buttons" role="group" aria-label={say("jobs")}>
      {props.selected.size > 0 && (
        <button type="button" onClick={props.clear}>
          {say("selected", { count: props.selected.size })} ×</button>)}
      {all.filter((each) => has(known, paths[each])).map((each) => (
        <button type="button" key={each} class={each === "retry" ? "main" : "danger"}
                onClick={() => setBulk(each)}>{say(openers[each])}</button>))}
      {bulk && <BulkDialog {...props} bulk={bulk} onClose={() => setBulk(undefined)} />}
    </div>
  );
}

function BulkDialog(props: Props & { bulk: Bulk; onClose: () => void }) {
  const { bulk, onClose } = props;
  const [limit, setLimit] = useState("");
  const [preview, setPreview] = useState<Preview>();
  const [error, setError] = useState("");
  const [branchId, setBranchId] = useState("");
  const [op, setOp] = useState("");
  const branch = {
    ...(branchId.trim() ? { branchId: branchId.trim() } : {}),
    ...(op.trim() ? { op: op.trim() } : {}),
  };
  const limits = Number(limit) > 0 ? { limit: Math.floor(Number(limit)) } : {};
  const path = paths[bulk];
  const isNamed = props.selected.size > 0;
  const what = props.selected.size > 0
    ? say("selected", { count: props.selected.size }) : say("allFiltered");

  useEffect(() => {
    setPreview(undefined);
    setError("");
    if (isNamed) return undefined;  // Whoever selects transactions has seen them.
    const body = { ...chosen(props), ...limits, ...branch, dryRun: true };
    let isLatest = true;
    act<Preview>("POST", path, { body }).then(
      (answer) => { if (isLatest) setPreview(answer); },
      (failure: Error) => { if (isLatest) setError(seen(failure.message)); });
    return () => { isLatest = false; };
  }, [path, limit, branchId, op]);

  const run = async (reason: string) => {
    const body = { ...chosen(props), ...limits, ...branch, reason };
    const answer = await act<Job | Acted>("POST", path, { body, reason });
    props.clear();
    props.done();
    const first = answer.errors?.[0];
    if ("id" in answer) tell(say("started", { id: answer.id }));
    else tell([say("progressText", { done: count(answer.done), failed: count(answer.failed) }),
               first ? `${seen(first.gid)}: ${seen(first.error)}` : ""].join(" "));
  };
  return (
    <ActionDialog title={say("bulkHeading", { action: say(titles[bulk]), what })}
                  hint={say(hints[bulk])} needsReason danger={bulk !== "retry"} run={run}
                  onClose={onClose}>
      {bulk === "skip" && (
        <>
          <Field label={say("branchId")} value={branchId} onInput={setBranchId} />
          <Field label={say("op")} value={op} onInput={setOp} />
        </>)}
      {!isNamed && (
        <Field label={say("limit")} value={limit} inputMode="numeric" onInput={setLimit} />)}
      {error && <Note kind="bad">{error}</Note>}
      <div class="preview" aria-live="polite" aria-label={say("preview")} role="group">
        {isNamed ? <NamedList gids={[...props.selected]} />
          : preview ? <PreviewList preview={preview} /> : !error && say("loading")}
      </div>
      <p><a href={pathOf("jobs")}>{say("jobs")}</a></p>
    </ActionDialog>
  );
}

function NamedList({ gids }: { gids: readonly string[] }) {
  return (
    <>
      <p><strong>{say("matched", { count: count(gids.length) })}</strong></p>
      <ul class="plain">{gids.map((gid) => <li key={gid}>{seen(gid)}</li>)}</ul>
    </>
  );
}

function PreviewList({ preview }: { preview: Preview }) {
  const sentence = preview.complete !== false ? "matched" : "matchedMore";
  return (
    <>
      <p><strong>{say(sentence, { count: count(preview.matched) })}</strong></p>
      <ul class="plain">
        {preview.sample.map((each) => (
          <li key={each.gid}>{seen(each.gid)} <StatusMark status={each.status} />{" "}
            <span class="quiet">{seen((each.urls ?? []).join(" "))}</span></li>))}
      </ul>
    </>
  );
}
