import { Secret } from "../lib/secret.ts";
import type { EndpointConfig, EndpointCredential } from "./config.ts";
import type { Report } from "./resolve.ts";
import type { EndpointDocument } from "./schema.ts";

/** Headers that Tollgate or the connection sets: another value would break the request or the metering. */
const ownHeaders =
  /^(authorization|api-key|host|connection|content-.*|transfer-encoding|accept.*|te|trailer|upgrade|expect)$/;

/** Checks what one endpoint's fields say together. */
export function resolveEndpoint(name: string, endpoint: EndpointDocument, report: Report): EndpointConfig {
  const path = ["endpoints", name];
  checkUrl(endpoint, path, report);
  if (endpoint.kind === "azure" && endpoint.api_version === undefined) {
    report(path, `endpoints.${name} has no "api_version", which kind azure needs; add a dated version or v1`);
  }
  if (endpoint.kind === "openai" && endpoint.api_version !== undefined) {
    report([...path, "api_version"], "api_version is for kind azure; remove it, or correct the kind");
  }
  const credential = readCredential(name, endpoint, report);
  const headers = new Map<string, Secret>();
  for (const [header, value] of Object.entries(endpoint.headers)) {
    const place = [...path, "headers", header];
    const lower = header.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/.test(lower))
      report(place, `${JSON.stringify(header.slice(0, 60))} is no name of a header`);
    else if (ownHeaders.test(lower))
      report(place, `the header ${lower} is set by Tollgate itself; remove it`);
    else if (headers.has(lower)) report(place, `the header ${lower} is given twice; keep one of them`);
    if (!/^[\x20-\x7e]*$/.test(value))
      report(place, `the value of the header ${lower} has a character that headers cannot carry`);
    headers.set(lower, new Secret(value));
  }
  return {
    name,
    kind: endpoint.kind,
    provider: endpoint.provider ?? endpoint.kind,
    baseUrl: endpoint.base_url.replace(/\/+$/, ""),
    credential,
    apiVersion: endpoint.api_version ?? null,
    auth: endpoint.auth ?? (endpoint.kind === "azure" && credential.kind === "api_key" ? "key" : "bearer"),
    onDisconnect: endpoint.on_disconnect,
    drainTimeoutMs: endpoint.drain_timeout_ms,
    connectTimeoutMs: endpoint.connect_timeout_ms,
    firstByteTimeoutMs: endpoint.first_byte_timeout_ms,
    idleTimeoutMs: endpoint.idle_timeout_ms,
    chargeFilteredPrompt: endpoint.charge_filtered_prompt,
    sendStreamOptions: endpoint.send_stream_options ?? null,
    headers,
  };
}

function checkUrl(endpoint: EndpointDocument, path: readonly string[], report: Report): void {
  const place = [...path, "base_url"];
  if (!URL.canParse(endpoint.base_url)) {
    report(place, "base_url is not a URL that can be read; write it like https://NAME.openai.azure.com");
    return;
  }
  const url = new URL(endpoint.base_url);
  if (url.username !== "" || url.password !== "")
    report(place, "base_url holds a login; use api_key or headers instead");
  if (endpoint.kind === "azure" && url.search !== "") {
    report(place, "base_url has a query; write the address alone, and the api-version as api_version");
  }
}

function readCredential(name: string, endpoint: EndpointDocument, report: Report): EndpointCredential {
  const path = ["endpoints", name];
  const { api_key: key, token_command: command, token_file: file } = endpoint;
  const given = [key, command, file].filter((one) => one !== undefined).length;
  if (given === 0) {
    report(
      path,
      `endpoints.${name} has no "api_key"; add it, or token_command, or token_file, or write api_key: none`,
    );
  }
  if (given > 1)
    report(
      path,
      `endpoints.${name} has more than one of api_key, token_command and token_file; keep one of them`,
    );
  if (command !== undefined) {
    const [program, ...rest] = command;
    if (program !== undefined) return { kind: "token_command", command: [program, ...rest] };
  }
  if (file !== undefined) return { kind: "token_file", file };
  if (key === undefined || key === "none") return { kind: "none" };
  if (key === "[hidden]")
    report(
      [...path, "api_key"],
      `endpoints.${name}.api_key is what config show prints for a secret; write \${NAME} and set that variable`,
    );
  // A line end or a space comes from copying; sent along it would only give a puzzling 401.
  if (!/^[\x21-\x7e]+$/.test(key))
    report(
      [...path, "api_key"],
      `endpoints.${name}.api_key holds a space, a line end or an unusual character; copy the key again`,
    );
  return { kind: "api_key", key: new Secret(key) };
}
