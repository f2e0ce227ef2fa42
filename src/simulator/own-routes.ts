import type { ServerResponse } from "node:http";
import { totalBill } from "./bill.ts";
import { isFaultName } from "./faults.ts";
import { parseJsonObject } from "./json.ts";
import type { SimulatorAction } from "./routes.ts";
import { forgetAll, type Vendor } from "./vendor.ts";

interface OwnRequest {
  readonly action: SimulatorAction;
  readonly url: URL;
  readonly body: Buffer;
}

/** Answers the routes under `/_sim/`, which no vendor has: bill, requests, reset and outage. */
export function answerSimulator(vendor: Vendor, request: OwnRequest, response: ServerResponse): void {
  switch (request.action) {
    case "reset":
      forgetAll(vendor);
      response.writeHead(204).end();
      return;
    case "outage":
      setOutage(vendor, request.body, response);
      return;
    case "bill": {
      const { bill } = vendor;
      const lines = bill.lines();
      const summary = { totals: totalBill(lines), dropped: bill.dropped(), open: vendor.open };
      sendLines(request.url, response, { lines, summary });
      return;
    }
    case "requests": {
      const lines = vendor.recorder.list().map((kept) => ({ ...kept, body: kept.body.toString("utf8") }));
      sendLines(request.url, response, { lines, summary: {} });
    }
  }
}

/** JSON Lines, or with `?format=json` one object with the lines and a summary. */
function sendLines(
  url: URL,
  response: ServerResponse,
  sent: { lines: readonly object[]; summary: object },
): void {
  if (url.searchParams.get("format") === "json") {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ lines: sent.lines, ...sent.summary }));
    return;
  }
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.end(sent.lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

/** `{"fault": NAME}` begins an outage, `{"fault": null}` ends it. */
function setOutage(vendor: Vendor, body: Buffer, response: ServerResponse): void {
  const fault = parseJsonObject(body.toString("utf8"))?.fault;
  if (fault === null || (typeof fault === "string" && isFaultName(fault))) {
    vendor.outage = fault;
    response.writeHead(204).end();
    return;
  }
  const message = 'Cannot set the outage: the body names no fault; send {"fault": NAME} or {"fault": null}.';
  response.writeHead(400, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: { message } }));
}
