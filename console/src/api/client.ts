/** Asks the server beside this page. Addresses are relative to the document, so that any prefix works. */

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface CallOptions {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Parameters without the ones that are not given. */
export type Query = Readonly<Record<string, string | number | null | undefined>>;

/** `path` is relative to the page's folder: "../admin/v1/accounts". */
export function addressFor(path: string, query: Query = {}): string {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  return url.href;
}

export const adminPath = (path: string): string => `../admin/v1${path}`;

/** JSON of an answer, or an `ApiError` with the server's own words. Null for an answer without a body. */
export async function call<Answer>(address: string, options: CallOptions = {}): Promise<Answer> {
  const { method = "GET", body, signal, headers } = options;
  const response = await reach(address, {
    method,
    headers: {
      accept: "application/json",
      ...(method === "GET" ? {} : { "x-tollgate-console": "1" }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await response.text();
  const answer = parse(text);
  if (response.ok) return answer as Answer;
  throw errorOf(response.status, answer);
}

async function reach(address: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(address, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(
      0,
      "unreachable",
      "The server cannot be reached. It may be restarting; try again in a moment.",
    );
  }
}

function parse(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function errorOf(status: number, answer: unknown): ApiError {
  const { error } = (answer ?? {}) as { error?: { message?: unknown; code?: unknown } };
  const message =
    typeof error?.message === "string" ? error.message : `The server answered with status ${status}.`;
  return new ApiError(status, typeof error?.code === "string" ? error.code : "unknown", message);
}
