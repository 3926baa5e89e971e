import { useMemo, useState } from "preact/hooks";

import { count, seen } from "../format";
import { bestForm, type Form, hexLines, payloadOf } from "../payload";
import { say } from "../words";

const shownMax = 64 * 1024;

/// A payload as JSON, text or hexadecimal digits.
export function PayloadView({ base64, label }: { base64: string; label: string }) {
  const payload = useMemo(() => payloadOf(base64), [base64]);
  const [chosen, setChosen] = useState<Form>();
  const [all, setAll] = useState(false);
  const form = chosen ?? bestForm(payload);
  const forms: Form[] = ["json", "text", "hex"];
  const isThere = { json: payload.json !== undefined, text: payload.text !== undefined, hex: true };
  const text = useMemo(() => {
    if (form === "hex") return hexLines(payload.bytes.subarray(0, all ? undefined : shownMax / 4));
    const whole = seenLines((form === "json" ? payload.json : payload.text) ?? "");
    return all ? whole : whole.slice(0, shownMax);
  }, [payload, form, all]);
  const isCut = !all && payload.bytes.length > (form === "hex" ? shownMax / 4 : shownMax);
  return (
    <div class="payload">
      <div class="payload-head" role="group" aria-label={label}>
        {forms.map((each) => (
          <button type="button" key={each} disabled={!isThere[each]} aria-pressed={form === each}
                  onClick={() => setChosen(each)}>{say(each)}</button>))}
        <span class="quiet">{say("bytes", { count: count(payload.bytes.length) })}</span>
      </div>
      <pre tabIndex={0} aria-label={label}>{text}</pre>
      {isCut && (
        <p class="quiet">{say("cut", { count: count(text.length) })}{" "}
          <button type="button" onClick={() => setAll(true)}>{say("showAll")}</button></p>)}
    </div>
  );
}

function seenLines(text: string): string {
  return text.split("\n").map(seen).join("\n");
}
