// Actions on many transactions: those that are selected, or all that fit. A preview comes first.

import { useState } from "preact/hooks";

import { act, type Parameters, paths } from "../api";
import { count, seen } from "../format";
import { pathOf } from "../route";
import { has, server } from "../server";
import type { Acted, Job } from "../types";
import { say, type Word } from "../words";
import { Field } from "./bits";
import { ActionDialog } from "./dialog";
import { ManyPreview } from "./preview";
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

/// `mayAct`: the buttons are shown. A dialog that is open stays until it is closed, so that nothing
/// that was typed is lost.
export function BulkBar(props: Props & { mayAct: boolean }) {
  const [bulk, setBulk] = useState<{ action: Bulk } & Props>();
  const known = server.use();
  const all: Bulk[] = ["retry", "stop", "skip"];
  return (
    <>
      {props.mayAct && (
        <div class="buttons" role="group" aria-label={say("jobs")}>
          {props.selected.size > 0 && (
            <button type="button" onClick={props.clear}>
              {say("selected", { count: props.selected.size })} ×</button>)}
          {all.filter((each) => has(known, paths[each])).map((each) => (
            <button type="button" key={each} class={each === "retry" ? "main" : "danger"}
                    onClick={() => setBulk({ ...props, action: each })}>
              {say(openers[each])}</button>))}
        </div>)}
      {bulk && <BulkDialog {...bulk} onClose={() => setBulk(undefined)} />}
    </>
  );
}

/// What is told when it was done at once.
function summary(answer: Acted): string {
  const first = answer.errors?.[0];
  return [
    say("progressText", { done: count(answer.done), failed: count(answer.failed) }),
    first ? `${seen(first.gid)}: ${seen(first.error)}` : "",
    answer.held ? say("heldAfter", { count: count(answer.held) }) : "",
  ].filter(Boolean).join(" · ");
}

/// The action is on what was chosen when the dialog was opened, whatever the list shows meanwhile.
function BulkDialog(props: Props & { action: Bulk; onClose: () => void }) {
  const { action, selected } = props;
  const [limit, setLimit] = useState("");
  const [branchId, setBranchId] = useState("");
  const [op, setOp] = useState("");
  const path = paths[action];
  const isNamed = selected.size > 0;
  const request = {
    ...chosen(props),
    ...(!isNamed && Number(limit) > 0 ? { limit: Math.floor(Number(limit)) } : {}),
    ...(branchId.trim() ? { branchId: branchId.trim() } : {}),
    ...(op.trim() ? { op: op.trim() } : {}),
  };
  const namesRow = branchId.trim() !== "" && op.trim() !== "";
  const what = isNamed ? say("selected", { count: selected.size }) : say("allFiltered");
  const run = async (reason: string) => {
    const answer = await act<Job | Acted>("POST", path, { body: { ...request, reason }, reason });
    props.clear();
    props.done();
    tell("id" in answer ? say("started", { id: answer.id }) : summary(answer));
  };
  return (
    <ActionDialog title={say("bulkHeading", { action: say(titles[action]), what })}
                  hint={say(hints[action])} needsReason danger={action !== "retry"} run={run}
                  missing={action === "skip" && !namesRow ? say("rowNeeded") : undefined}
                  onClose={props.onClose}>
      {action === "skip" && (
        <>
          <Field label={say("branchId")} value={branchId} onInput={setBranchId} />
          <Field label={say("op")} value={op} onInput={setOp} />
        </>)}
      {!isNamed && (
        <Field label={say("limit")} value={limit} inputMode="numeric" onInput={setLimit} />)}
      {/* Without a name, a repetition would skip what is called then. */}
      {(action !== "skip" || namesRow) && <ManyPreview path={path} request={request} />}
      <p><a href={pathOf("jobs")}>{say("jobs")}</a></p>
    </ActionDialog>
  );
}
