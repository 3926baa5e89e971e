// Payloads as text, JSON and hexadecimal digits.

export type Form = "json" | "text" | "hex";

export interface Payload {
  bytes: Uint8Array;
  /// Nothing if the bytes are not UTF-8.
  text: string | undefined;
  /// Indented; nothing if the text is not JSON.
  json: string | undefined;
}

export function payloadOf(base64: string): Payload {
  const binary = atob(base64);
  const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
  let text: string | undefined;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { bytes, text: undefined, json: undefined };
  }
  return { bytes, text, json: indented(text) };
}

/// The same JSON with line breaks, if the value is an object or a list. Numbers keep their digits:
/// the text is indented as it is, not what a program makes of it.
export function indented(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
  } catch {
    return undefined;
  }
  let out = "";
  let depth = 0;
  for (const token of text.match(/"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? []) {
    const opens = token === "{" || token === "[";
    if (token === "}" || token === "]") {
      depth -= 1;
      const empty = /[{[]\n\s*$/.test(out);
      out = empty ? out.trimEnd() + token : `${out}\n${"  ".repeat(depth)}${token}`;
    } else if (token === ",") {
      out += `,\n${"  ".repeat(depth)}`;
    } else {
      out += token === ":" ? ": " : token;
    }
    if (opens) {
      depth += 1;
      out += `\n${"  ".repeat(depth)}`;
    }
  }
  return out;
}

/// As `hexdump -C` shows it.
export function hexLines(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const digits = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ").padEnd(47);
    const letters = row.map((byte) => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${digits}  ${letters.join("")}`);
  }
  return lines.join("\n");
}

/// The form in which a payload is easiest to read.
export function bestForm(payload: Payload): Form {
  if (payload.json !== undefined) return "json";
  const text = payload.text;
  return text !== undefined && !/[\u0000-\u0008\u000e-\u001f]/.test(text) ? "text" : "hex";
}
