/** What a vendor's error body says, whatever envelope it came in (dialect §3.4, §9). */
export interface VendorError {
  readonly message: string;
  readonly type: string | null;
  readonly param: string | null;
  readonly code: string | null;
  /** The vendor's content filter refused the prompt. */
  readonly isContentFilter: boolean;
  /** Azure's detail of a filtered prompt, which its clients read; null elsewhere. */
  readonly innerError: Readonly<Record<string, unknown>> | null;
}

const object = (value: unknown): Readonly<Record<string, unknown>> | null =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
const text = (value: unknown): string | null =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : null;

/** Reads an error body: `error.message`, else `message`, else the raw text without its markup. */
export function readVendorError(status: number, body: string): VendorError {
  const json = parse(body);
  const error = object(json?.["error"]);
  // A tag never spans another "<": so the search stays linear, whatever a vendor sends.
  const raw = body
    .replace(/<[^<>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, 300);
  const message =
    text(error?.["message"]) ??
    text(json?.["message"]) ??
    text(json?.["error"]) ??
    (raw === "" ? `HTTP ${status}` : raw);
  const code = text(error?.["code"]) ?? text(json?.["code"]);
  return {
    message: redact(message),
    type: redactOrNull(text(error?.["type"])),
    param: redactOrNull(text(error?.["param"])),
    code: redactOrNull(code),
    isContentFilter: code === "content_filter",
    innerError: object(error?.["innererror"]) ?? object(error?.["inner_error"]),
  };
}

function parse(body: string): Readonly<Record<string, unknown>> | null {
  try {
    return object(JSON.parse(body));
  } catch {
    return null; // not JSON: an HTML page of a proxy, plain text
  }
}

/** Credentials as vendors print them: whole, or with a masked middle ("sk-ab***yz"). */
const credentials = [
  /\b(sk|pk|rk|gsk|xai)-[A-Za-z0-9_*.•-]{6,}/g,
  // "api-" and "key-" begin words as well ("api-errors"): a key has a digit or a masked middle.
  /\b(api|key)-(?=[A-Za-z_.-]{0,200}[0-9*•])[A-Za-z0-9_*.•-]{6,}/g,
  /\bBearer\s+[A-Za-z0-9._~+/=*-]{8,}/gi,
  /\beyJ[A-Za-z0-9_-]{10,}(\.[A-Za-z0-9_-]+)*/g,
  /\b[A-Fa-f0-9]{32,}\b/g,
  /\b[A-Za-z0-9]{2,8}\*{4,}[A-Za-z0-9]{0,8}\b/g,
];

/** Text with anything that looks like a credential taken out: a vendor's error may echo our key. */
export const redact = (message: string): string =>
  credentials.reduce((result, form) => result.replace(form, "[hidden]"), message);

const redactOrNull = (text: string | null): string | null => (text === null ? null : redact(text));

const pieceLength = 12;
/** More than this is not searched: it is taken to repeat. */
const maxSearched = 1_000_000;

/**
 * Whether `message` may repeat a run of `texts`: any run of 23 characters is found, shorter ones perhaps. What a vendor
 * quotes of a prompt must not be kept where prompts are not kept.
 */
export function repeatsAny(message: string, texts: readonly string[]): boolean {
  if (texts.reduce((sum, text) => sum + text.length, 0) > maxSearched) return true;
  for (let at = 0; at + pieceLength <= message.length; at += pieceLength) {
    const piece = message.slice(at, at + pieceLength);
    if (texts.some((text) => text.includes(piece))) return true;
  }
  return false;
}
