// Keeps the frame when a view cannot be shown.

import { Component, type ComponentChildren } from "preact";

import { seen } from "../format";
import { say } from "../words";
import { Note } from "./bits";

interface State {
  error: Error | undefined;
}

/// Give it a key of its view, so that another view is shown.
export class Guard extends Component<{ children: ComponentChildren }, State> {
  override state: State = { error: undefined };

  override componentDidCatch(error: unknown): void {
    this.setState({ error: error instanceof Error ? error : new Error(String(error)) });
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <>
        <Note kind="bad">{say("notShown", { error: seen(error.message) })}</Note>
        <button type="button" onClick={() => this.setState({ error: undefined })}>
          {say("showAgain")}</button>
      </>
    );
  }
}
