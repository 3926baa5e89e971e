import { useState } from "preact/hooks";

import { act, get, paths } from "../api";
import { count, seen, when } from "../format";
import { useLive } from "../live";
import { Awaited, Choice, Empty, Field, Heading, Problem } from "../parts/bits";
import { ActionDialog } from "../parts/dialog";
import { tell } from "../parts/toast";
import { server } from "../server";
import type { Pause } from "../types";
import { named, say } from "../words";

const interval = 3000;

export function Pauses() {
  const { value, error, refresh } = useLive<{ pauses: Pause[] }>(
    "pauses", interval, (signal) => get(paths.pauses, {}, signal));
  const [ending, setEnding] = useState<Pause>();
  const [isAdding, setAdding] = useState(false);
  const mayAct = server.use().operator;
  return (
    <section>
      <Heading title={say("pauses")}>
        {mayAct && <button type="button" class="danger" onClick={() => setAdding(true)}>
          {say("addPause")}</button>}
      </Heading>
      <Problem error={error} />
      {!value ? <Awaited error={error} /> : value.pauses.length === 0
        ? <Empty error={error}>{say("none")}</Empty> : (
          <div class="scrolls" tabIndex={0} role="region" aria-label={say("pauses")}>
            <table>
              <thead><tr><th>{say("kind")}</th><th>{say("value")}</th><th>{say("waiting")}</th>
                <th>{say("since")}</th><th>{say("caller")}</th><th>{say("reason")}</th>
                {mayAct && <th>{say("action")}</th>}</tr></thead>
              <tbody>
                {value.pauses.map((each) => (
                  <tr key={`${each.kind} ${each.value}`}>
                    <td>{named("kind", each.kind)}</td><td class="url">{seen(each.value)}</td>
                    <td>{each.waiting === undefined ? "" : count(each.waiting)}</td>
                    <td>{when(each.since)}</td><td>{seen(each.caller)}</td>
                    <td>{seen(each.reason)}</td>
                    {mayAct && <td><button type="button" onClick={() => setEnding(each)}
                                           aria-label={`${say("resume")} ${seen(each.value)}`}>
                      {say("resume")}</button></td>}
                  </tr>))}
              </tbody>
            </table>
          </div>)}
      {ending && (
        <ActionDialog title={say("resume")}
                      hint={`${named("kind", ending.kind)} ${seen(ending.value)}`}
                      onClose={() => setEnding(undefined)}
                      run={async (reason) => {
                        await act("POST", paths.resume, {
                          body: { kind: ending.kind, value: ending.value, reason }, reason });
                        tell(say("done"));
                        refresh();
                      }} />)}
      {isAdding && <AddPause onClose={() => setAdding(false)} done={refresh} />}
    </section>
  );
}

function AddPause({ onClose, done }: { onClose: () => void; done: () => void }) {
  const [kind, setKind] = useState("target");
  const [value, setValue] = useState("");
  const modes = server.use().modes;
  return (
    <ActionDialog title={say("pause")} hint={say("pauseHint")} needsReason danger onClose={onClose}
                  run={async (reason) => {
                    await act("POST", paths.pause, {
                      body: { kind, value: value.trim(), reason }, reason });
                    tell(say("done"));
                    done();
                  }}>
      <Choice label={say("kind")} value={kind} onChange={(next) => {
        setKind(next);
        setValue(next === "mode" ? modes[0] ?? "" : "");
      }} options={[["target", say("target")], ["topic", say("topic")], ["mode", say("mode")]]} />
      {kind === "mode"
        ? <Choice label={say("mode")} value={value} onChange={setValue}
                  options={modes.map((mode) => [mode, mode] as const)} />
        : <Field label={say("value")} value={value} onInput={setValue} class="wide" />}
    </ActionDialog>
  );
}
