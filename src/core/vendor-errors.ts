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

/**
 * Reads an error body: `error.message`, else what stands for it outside an envelope, else the raw text without its markup.
 * Type, parameter and code are taken from where the message is.
 */
export function readVendorError(status: number, body: string): VendorError {
  const json = parse(body);
  const error = object(json?.["error"]) ?? (json === null || "error" in json ? null : json);
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
    detailOf(json?.["detail"]) ??
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

/** An object, or the first one of a list (Gemini), also as an event of a stream; null for a page of a proxy, plain text. */
function parse(body: string): Readonly<Record<string, unknown>> | null {
  const json = body.replace(/^\ufeff/, "").replace(/^\s*(event:[^\n]*\n)?data:/, "");
  try {
    const value: unknown = JSON.parse(json);
    return object(Array.isArray(value) ? value[0] : value);
  } catch {
    return null;
  }
}

/** FastAPI's: a text, or a list of what is wrong with which field. */
function detailOf(detail: unknown): string | null {
  if (!Array.isArray(detail)) return text(detail);
  const said = detail.slice(0, 5).flatMap((item) => {
    const place = object(item)?.["loc"];
    const what = text(object(item)?.["msg"]);
    return what === null ? [] : [Array.isArray(place) ? `${place.join(".")}: ${what}` : what];
  });
  return said.length === 0 ? null : said.join("; ");
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
