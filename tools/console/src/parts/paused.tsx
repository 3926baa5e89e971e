// What every view says of a coordinator that was started with --paused, and how it begins.

import { useState } from "preact/hooks";

import { act, paths } from "../api";
import { readiness, server } from "../server";
import { say } from "../words";
import { ActionDialog } from "./dialog";
import { tell } from "./toast";

/// `refresh`: asks again whether it is paused.
export function PausedStart({ refresh }: { refresh: () => void }) {
  const isPaused = readiness.use()?.paused === true;
  const [isAsking, setAsking] = useState(false);
  const mayAct = server.use().operator;
  return (
    <>
      {isPaused && (
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
