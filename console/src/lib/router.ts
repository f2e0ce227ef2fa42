import { useMemo, useSyncExternalStore } from "react";

/** Where the console is: the part of the address after "#", which works under any prefix and needs no server. */
export interface Place {
  /** "/requests/req_1" */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
}

type Params = Readonly<Record<string, string | null | undefined>>;

export function readPlace(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  return { path: path === "" ? "/" : path, params: Object.fromEntries(new URLSearchParams(query)) };
}

export function addressOf(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, value);
  }
  const text = query.toString();
  return `#${path}${text === "" ? "" : `?${text}`}`;
}

const subscribe = (listener: () => void): (() => void) => {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
};

export function usePlace(): Place {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return useMemo(() => readPlace(hash), [hash]);
}

export function go(path: string, params: Params = {}): void {
  window.location.hash = addressOf(path, params);
}

/** Changes parameters of the current place. Filters replace the address, so that "back" leaves the page. */
export function setParams(change: Params): void {
  const { path, params } = readPlace(window.location.hash);
  const next = addressOf(path, { ...params, ...change });
  window.history.replaceState(null, "", next);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** The values of `:name` parts when `path` has the form of `pattern`, else null. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const values: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith(":")) values[part.slice(1)] = decodeURIComponent(value);
    else if (part !== value) return null;
  }
  return values;
}
