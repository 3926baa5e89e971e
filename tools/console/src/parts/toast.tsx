import { Store } from "../store";

const shownMs = 6000;
const text = new Store<string>("");
let timer = 0;

/// Says for some seconds that something was done.
export function tell(message: string): void {
  clearTimeout(timer);
  text.set(message);
  timer = window.setTimeout(() => text.set(""), shownMs);
}

export function Toast() {
  const message = text.use();
  return <div class={`toast${message ? " shown" : ""}`} role="status">{message}</div>;
}
