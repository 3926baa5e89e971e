// Where the token is entered.

import { useState } from "preact/hooks";

import { enterToken, needsToken, token } from "../api";
import { say } from "../words";
import { Field } from "./bits";

export function TokenForm() {
  const [value, setValue] = useState("");
  const isWrong = needsToken.use() && token.use() !== "";
  return (
    <form class="token" onSubmit={(event) => {
      event.preventDefault();
      enterToken(value.trim());
    }}>
      <p>{say(isWrong ? "tokenWrong" : "tokenHint")}</p>
      <Field label={say("token")} type="password" value={value} onInput={setValue} />
      <button type="submit" class="main">{say("enter")}</button>
    </form>
  );
}
