import { type Lesson, lessonFrom, lessonName } from "../core/lessons.ts";
import { type Ports, type VendorAnswer, VendorFault } from "../ports.ts";
import { operations } from "../protocol/request.ts";
import { Departure } from "./departure.ts";
import { faultTried, statusTried } from "./failures.ts";
import type { Outcome, RelayContext, Tried, VendorCall } from "./outcome.ts";
import { peekForJson } from "./peek.ts";
import { relayStream } from "./stream.ts";
import type { Attempt, PricedDeployment } from "./types.ts";
import { upstreamBody } from "./upstream-body.ts";
import { readWhole } from "./whole.ts";

/** A vendor's 400 can name one parameter at a time; more lessons than this in one request is a loop. */
const maxLessonsPerRequest = 4;
/** A deployment that asks for more patience than this is tried again all the same, ms. */
const maxCoolDownMs = 600_000;

/**
 * Tries the deployments in order until one answers. Fails over on connection errors, 429, 5xx, timeouts and answers that
 * break off before their first byte went out; never after bytes have reached the client.
 */
export async function relay(ports: Ports, context: RelayContext): Promise<Outcome> {
  const before: Attempt[] = [];
  let last: Outcome | null = null;
  for (const served of context.admitted.deployments) {
    if (last !== null) before.push(...last.attempts);
    const { outcome, failover }: Tried = await tryDeployment(ports, context, { served, before });
    last = outcome;
    if (failover === null) break;
    const coolMs = Math.min(failover.retryAfterMs ?? context.settings.coolDownMs, maxCoolDownMs);
    context.coolDowns.start(served.route, ports.clock.now() + coolMs);
    if (context.client.isGone() || context.client.hasBegun()) break;
  }
  if (last === null) throw new Error("Bug: an admitted request has no deployment");
  const [main, ...rest] = last.attempts.toReversed() as [Attempt, ...Attempt[]];
  return { ...last, attempts: [...before, ...rest.toReversed(), main] };
}

/** One deployment, with as many calls as its lessons take. Calls that taught something are added to `before`. */
async function tryDeployment(
  ports: Ports,
  context: RelayContext,
  about: { served: PricedDeployment; before: Attempt[] },
): Promise<Tried> {
  const { served } = about;
  const { route } = served;
  const { admitted } = context;
  const learned: Lesson[] = [];
  for (;;) {
    const lessons = [...ports.catalog.lessons(route.endpoint, route.deployment), ...learned];
    const body = upstreamBody(admitted, { served, lessons, settings: context.settings });
    const startedAt = new Date(ports.clock.now()).toISOString();
    const departure = new Departure(context.client, route);
    try {
      const answer = await callVendor(ports, context, { served, bytes: body.bytes, departure });
      if (answer instanceof VendorFault)
        return await faultTried(ports, context, { fault: answer, served, startedAt, departure });
      if (answer.status >= 200 && answer.status < 300) {
        context.coolDowns.end(route);
        // Only now is it known that they were right: a crafted request must not teach what holds for everybody.
        for (const lesson of learned) await learn(ports, served, lesson);
        return await readAnswerBody(ports, context, { served, body, answer, departure, startedAt });
      }
      const tried = await statusTried(ports, context, { answer, served, startedAt });
      const lesson =
        admitted.model.strictParameters || !isAboutRequest(answer.status)
          ? null
          : lessonFrom(tried.error, body.json);
      if (lesson === null || isKnown(lesson, learned)) return tried;
      about.before.push(...tried.outcome.attempts);
      learned.push(lesson);
    } finally {
      departure.end();
    }
  }
}

/** Vendors built on FastAPI refuse a field with 422. */
const isAboutRequest = (status: number): boolean => status === 400 || status === 422;

const isKnown = (lesson: Lesson, learned: readonly Lesson[]): boolean =>
  learned.length >= maxLessonsPerRequest || learned.some((one) => lessonName(one) === lessonName(lesson));

/** A lesson that cannot be stored still serves this request. */
async function learn(ports: Ports, { route }: PricedDeployment, lesson: Lesson): Promise<void> {
  try {
    await ports.catalog.learn(route.endpoint, route.deployment, lesson);
    ports.observe({
      event: "lesson_learned",
      endpoint: route.endpoint,
      deployment: route.deployment,
      lesson: lesson.kind,
    });
  } catch (error) {
    ports.observe({
      event: "fault",
      where: "lessons",
      error: error instanceof Error ? error.message : String(error),
    });
  }
}

/** By what the vendor sends, not by what was asked: some answer a stream with one JSON body, some mislabel either. */
async function readAnswerBody(ports: Ports, context: RelayContext, call: VendorCall): Promise<Tried> {
  if (/^text\/event-stream/i.test(call.answer.headers["content-type"] ?? ""))
    return relayStream(ports, context, call);
  if (!context.admitted.request.facts.stream) return readWhole(ports, context, call);
  const { isJson, answer } = await peekForJson(call.answer);
  return isJson
    ? readWhole(ports, context, { ...call, answer })
    : relayStream(ports, context, { ...call, answer });
}

async function callVendor(
  ports: Ports,
  context: RelayContext,
  call: { served: PricedDeployment; bytes: Uint8Array; departure: Departure },
): Promise<VendorAnswer | VendorFault> {
  const { route, row } = call.served;
  const { id, request } = context.admitted;
  // Joins the next batch: after a crash it is known that a vendor was called, and which.
  ports.ledger.checkpoint(id, {
    sent: true,
    endpoint: route.endpoint,
    deployment: route.deployment,
    priced_as: row.model,
    price_row: row.id,
    provider: route.provider,
    model: route.model,
  });
  ports.reach?.("before_send");
  try {
    return await ports.vendor.call({
      deployment: route,
      operation: operations[request.facts.operation],
      method: "POST",
      body: call.bytes,
      requestId: id,
      signal: call.departure.signal,
    });
  } catch (error) {
    if (error instanceof VendorFault) return error;
    throw error;
  }
}
