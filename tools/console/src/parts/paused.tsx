// What every view says of a coordinator that was started with --paused, and how it begins.

import { useState } from "preact/hooks";

import { act, getAnyStatus, paths } from "../api";
import { useLive } from "../live";
import { server } from "../server";
import type { Readiness } from "../types";
import { say } from "../words";
import { ActionDialog } from "./dialog";
import { tell } from "./toast";

const interval = 5000;

export function PausedStart() {
  const { value, refresh } = useLive(
    "paused", interval, (signal) => getAnyStatus<Readiness>(paths.ready, signal));
  const [isAsking, setAsking] = useState(false);
  const mayAct = server.use().operator;
  return (
    <>
      {value?.paused && (
        <div class="note note-warn banner" role="status">
          <p>{say("startedPaused")}</p>
          {mayAct && (
            <button type="button" class="main" onClick={() => setAsking(true)}>
              {say("begin")}</button>)}
        </div>)}
      {isAsking && (
        <ActionDialog title={say("begin")} hint={say("beginHint")} needsReason
                      onClose={() => setAsking(false)}
                      run={async (reason) => {
                        await act("POST", paths.begin, { body: { reason }, reason });
                        tell(say("hasBegun"));
                        refresh();
                      }} />)}
    </>
  );
}
