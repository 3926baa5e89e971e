// One transaction: what it does and why it waits, its branches, attempts and payloads.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { editBranch, retryOne, skipBranch, stopOne } from "../actions";
import { get, paths } from "../api";
import { age, duration, isFinished, seen, when } from "../format";
import { useLive } from "../live";
import { Awaited, Field, Heading, Note, Problem, StatusMark, useNow } from "../parts/bits";
import { ActionDialog } from "../parts/dialog";
import { PayloadView } from "../parts/payload";
import { OnePreview } from "../parts/preview";
import { Timeline } from "../parts/timeline";
import { tell } from "../parts/toast";
import { indented } from "../payload";
import { has, server } from "../server";
import type { Branch, QueryResult, Status, Transaction as Trans, Why } from "../types";
import { named, say } from "../words";

const interval = 2000;

type Doing = { kind: "retry" } | { kind: "stop" } | { kind: "skip"; branch: Branch } |
             { kind: "edit"; branch: Branch };

export function Transaction({ gid }: { gid: string }) {
  const { value, error, refresh } = useLive<QueryResult>(
    `transaction ${gid}`, interval, (signal) => get(paths.query, { gid }, signal));
  const [doing, setDoing] = useState<Doing>();
  const known = server.use();
  const trans = value?.transaction;
  if (!value) return <section><Heading title={seen(gid)} /><Problem error={error} />
    <Awaited error={error} /></section>;
  if (!trans) return <section><Heading title={say("transaction")} />
    <Note kind="warn">{say("notFound", { gid: seen(gid) })}</Note></section>;
  const mayAct = known.operator && !isFinished(trans.status);
  return (
    <section>
      <Heading title={seen(gid)}>
        <StatusMark status={trans.status} />
        <span class="quiet">{seen(trans.trans_type)} · {seen(trans.protocol)}</span>
        {mayAct && (
          <div class="buttons">
            <button type="button" class="main" onClick={() => setDoing({ kind: "retry" })}>
              {say("retryNow")}</button>
            <button type="button" class="danger" onClick={() => setDoing({ kind: "stop" })}>
              {say("forceStop")}</button>
          </div>)}
      </Heading>
      <Problem error={error} />
      {value.why && <WhyBox why={value.why} />}
      <When trans={trans} branches={value.branches} why={value.why} />
      <Branches trans={trans} branches={value.branches}
                {...(mayAct && has(known, paths.skip)
                  ? { onSkip: (branch: Branch) => setDoing({ kind: "skip", branch }) } : {})}
                {...(mayAct && has(known, paths.edit)
                  ? { onEdit: (branch: Branch) => setDoing({ kind: "edit", branch }) } : {})} />
      <Attempts why={value.why} />
      <Facts trans={trans} />
      {doing && <Act gid={gid} doing={doing} onClose={() => setDoing(undefined)}
                     done={refresh} />}
    </section>
  );
}

function WhyBox({ why }: { why: Why }) {
  const now = useNow();
  const next = why.next_attempt_time;
  const left = next ? (new Date(next).getTime() - now) / 1000 : 0;
  return (
    <div class={`why why-${why.state}`} role="group" aria-label={say("whyHeading")}>
      <strong>{named("state", why.state)}</strong> {seen(why.explanation)}
      {next && left > 0 && <div class="quiet">
        {say("next", { time: when(next), left: duration(Math.round(left)) })}</div>}
      {why.end_time && <div class="quiet">{say("endedAt", { time: when(why.end_time) })}</div>}
    </div>
  );
}

function When({ trans, branches, why }: { trans: Trans; branches: readonly Branch[];
                                          why: Why | undefined }) {
  const now = Math.floor(useNow() / 5000) * 5000;
  return (
    <>
      <h2>{say("timeline")}</h2>
      <Timeline trans={trans} branches={branches} attempts={why?.attempts ?? []}
                next={why?.next_attempt_time ?? null} now={now} />
    </>
  );
}

/// Whether the transaction calls such branches in the direction in which it goes.
function isOnWay(status: Status, branch: Branch): boolean {
  return ["compensate", "cancel", "rollback"].includes(branch.op) === (status === "aborting");
}

interface BranchesProps {
  trans: Trans;
  branches: readonly Branch[];
  onSkip?: (branch: Branch) => void;
  onEdit?: (branch: Branch) => void;
}

function Branches({ trans, branches, onSkip, onEdit }: BranchesProps) {
  const [opened, setOpened] = useState("");
  const acts = onSkip !== undefined || onEdit !== undefined;
  return (
    <>
      <h2>{say("branches")}</h2>
      <div class="scrolls" tabIndex={0} role="region" aria-label={say("branches")}>
        <table>
          <thead>
            <tr><th>{say("branch")}</th><th>{say("op")}</th><th>{say("status")}</th>
              <th>{say("url")}</th><th>{say("finished")}</th><th>{say("payload")}</th>
              {acts && <th>{say("action")}</th>}</tr>
          </thead>
          <tbody>
            {branches.map((each) => {
              const key = `${each.branch_id} ${each.op}`;
              const isOpen = opened === key;
              const names = { branch: seen(each.branch_id), op: seen(each.op) };
              return (
                <>
                  <tr key={key}>
                    <td>{seen(each.branch_id)}</td><td>{seen(each.op)}</td>
                    <td><StatusMark status={each.status} /></td>
                    <td class="url">{seen(each.url)}</td><td>{when(each.finish_time)}</td>
                    <td>{each.bin_data && (
                      <button type="button" aria-expanded={isOpen}
                              aria-label={say("showPayload", names)}
                              onClick={() => setOpened(isOpen ? "" : key)}>
                        {isOpen ? "▾" : "▸"}</button>)}</td>
                    {acts && <td>{!isFinished(each.status) && (
                      <div class="buttons">
                        {onSkip && isOnWay(trans.status, each) && (
                          <button type="button" onClick={() => onSkip(each)}>
                            {say("skip")}</button>)}
                        {onEdit && <button type="button" onClick={() => onEdit(each)}>
                          {say("edit")}</button>}
                      </div>)}</td>}
                  </tr>
                  {isOpen && each.bin_data && (
                    <tr key={`${key} payload`}><td colSpan={acts ? 7 : 6}>
                      <PayloadView base64={each.bin_data}
                                   label={`${say("payload")} ${seen(key)}`} /></td></tr>)}
                </>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Attempts({ why }: { why: Why | undefined }) {
  const attempts = [...(why?.attempts ?? [])].reverse();
  return (
    <>
      <h2>{say("attempts")}</h2>
      {attempts.length === 0 ? <p class="quiet">{say("noAttempts")}</p> : (
        <div class="scrolls" tabIndex={0} role="region" aria-label={say("attempts")}>
          <table>
            <thead>
              <tr><th>{say("time")}</th><th>{say("branch")}</th><th>{say("took")}</th>
                <th>{say("result")}</th><th>{say("answer")}</th><th>{say("nextTry")}</th></tr>
            </thead>
            <tbody>
              {attempts.map((each) => (
                <tr key={each.time + each.branch_id + each.op}>
                  <td>{when(each.time)}</td><td>{seen(`${each.branch_id} ${each.op}`)}</td>
                  <td>{duration(each.latency_ms / 1000)}</td>
                  <td><span class={`result-${each.result}`}>
                    {named("result", each.result)}</span></td>
                  <td class="answer">{seen(each.answer)}</td><td>{when(each.next_try_time)}</td>
                </tr>))}
            </tbody>
          </table>
        </div>)}
    </>
  );
}

function Facts({ trans }: { trans: Trans }) {
  const now = useNow();
  const texts: [string, string | undefined][] = [
    [say("rollbackReason"), trans.rollback_reason], [say("queryPrepared"), trans.query_prepared],
    [say("options"), trans.options], [say("customData"), trans.custom_data],
    [say("result"), trans.result],
  ];
  const ended = trans.finish_time ?? trans.rollback_time;
  return (
    <>
      <h2>{say("details")}</h2>
      <dl>
        <Fact name={say("created")}>{when(trans.create_time)}</Fact>
        {!isFinished(trans.status) && (
          <Fact name={say("age")}>{duration(Math.round(age(trans.create_time, now)))}</Fact>)}
        <Fact name={say("updated")}>{when(trans.update_time)}</Fact>
        {ended && <Fact name={say("finished")}>{when(ended)}</Fact>}
        {texts.filter(([, text]) => text).map(([name, text]) => (
          <Fact key={name} name={name}>
            <pre tabIndex={0} aria-label={name}>
              {(indented(text ?? "") ?? text ?? "").split("\n").map(seen).join("\n")}</pre>
          </Fact>))}
      </dl>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return <><dt>{name}</dt><dd>{children}</dd></>;
}

function Act({ gid, doing, onClose, done }: { gid: string; doing: Doing; onClose: () => void;
                                               done: () => void }) {
  const [url, setUrl] = useState("");
  const [payload, setPayload] = useState("");
  const routes = server.use();
  const names = { gid: seen(gid) };
  const finish = (message: string) => {
    tell(message);
    done();
  };
  if (doing.kind === "retry") {
    return <ActionDialog title={say("retryNow")} hint={say("retryHint")} onClose={onClose}
                         run={async (reason) => {
                           await retryOne(gid, reason);
                           finish(say("retried", names));
                         }}>
      {has(routes, paths.retry) && <OnePreview path={paths.retry} request={{ gid }} />}
    </ActionDialog>;
  }
  if (doing.kind === "stop") {
    return <ActionDialog title={say("forceStop")} hint={say("stopHint")} needsReason danger
                         onClose={onClose}
                         run={async (reason) => {
                           await stopOne(gid, reason);
                           finish(say("stopped", names));
                         }}>
      {has(routes, paths.stop) && <OnePreview path={paths.stop} request={{ gid }} />}
    </ActionDialog>;
  }
  const choice = { gid, branchId: doing.branch.branch_id, op: doing.branch.op };
  const name = `${doing.branch.branch_id} ${doing.branch.op}`;
  if (doing.kind === "skip") {
    return <ActionDialog title={`${say("skip")} ${seen(name)}`} hint={say("skipHint")} needsReason
                         danger onClose={onClose}
                         run={async (reason) => {
                           await skipBranch(choice, reason);
                           finish(say("skipped", names));
                         }}>
      <OnePreview path={paths.skip} request={choice} />
    </ActionDialog>;
  }
  return (
    <ActionDialog title={`${say("edit")} ${seen(name)}`} hint={say("editHint")} needsReason danger
                  onClose={onClose}
                  run={async (reason) => {
                    await editBranch({ ...choice, ...(url ? { url } : {}),
                                       ...(payload ? { payload } : {}) }, reason);
                    finish(say("edited", names));
                  }}>
      <Field label={say("newUrl")} value={url} onInput={setUrl} class="wide" />
      <label class="field wide">
        <span>{say("newPayload")}</span>
        <textarea rows={5} value={payload}
                  onInput={(event) => setPayload(event.currentTarget.value)} />
      </label>
    </ActionDialog>
  );
}
