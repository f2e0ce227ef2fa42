import { sha256 } from "../lib/sha256.ts";
import type { ConsoleLogins, Person, SessionLimits, SessionReader } from "../ports-console.ts";
import { foreignReason } from "./origin.ts";

export interface SessionPorts {
  readonly logins: ConsoleLogins;
  /** Bytes from a cryptographic source. */
  readonly random: (bytes: number) => Uint8Array;
  /** Stands for the configured admin token: sessions made under another one are dead. Not secret, yet never shown. */
  readonly epoch: string;
  /** Of the cookie. Cookies do not tell ports apart, so two installations on one host need two names. */
  readonly cookieName: string;
}

export interface Sessions {
  readonly read: SessionReader;
  /** A one-time secret that logs its bearer in as `person`. */
  createLink(person: Person): Promise<string>;
  takeLink(secret: string): Promise<Person | null>;
  /** Opens a session; gives its secret. */
  open(person: Person): Promise<string>;
  /** A new secret for a session that has had its own for an hour; null when it keeps it. The old one works on for a minute. */
  renew(secret: string, person: Person): Promise<string | null>;
  end(secret: string): Promise<void>;
  /** The session secret of a `cookie` header, or null. */
  secretIn(cookies: string | undefined): string | null;
  readonly cookieName: string;
}

export const linkLifeSeconds = 15 * 60;
const limits = { idleSeconds: 12 * 3_600, lifeSeconds: 7 * 24 * 3_600 };
const rotateAfterSeconds = 3_600;
/** Requests that were sent with the old secret before the new one arrived. */
const graceSeconds = 60;
const secretBytes = 32;

export function createSessions({ logins, random, epoch, cookieName }: SessionPorts): Sessions {
  const all: SessionLimits = { epoch, ...limits };
  const newSecret = (): string => Buffer.from(random(secretBytes)).toString("base64url");
  const open = async (person: Person): Promise<string> => {
    const secret = newSecret();
    await logins.openSession(sha256(secret), person, all);
    return secret;
  };
  const secretIn = (cookies: string | undefined): string | null => readCookie(cookies, cookieName);
  return {
    cookieName,
    secretIn,
    open,
    async read(request) {
      const { cookie } = request.headers;
      const secret = secretIn(typeof cookie === "string" ? cookie : undefined);
      if (secret === null) return { state: "absent" };
      const foreign = foreignReason(request);
      if (foreign !== null)
        return {
          state: "refused",
          status: 403,
          message: `Cannot use your session for this request: ${foreign}.`,
        };
      const found = await logins.findSession(sha256(secret), all);
      if (found === null)
        return {
          state: "refused",
          status: 401,
          message: "Cannot go on: your session has ended; log in again.",
        };
      return { state: "known", person: found.person, secret };
    },
    async createLink(person) {
      const secret = newSecret();
      await logins.addLink(sha256(secret), person, { epoch, lifeSeconds: linkLifeSeconds });
      return secret;
    },
    takeLink: (secret) => logins.takeLink(sha256(secret), epoch),
    async renew(secret, person) {
      const found = await logins.findSession(sha256(secret), all);
      if (found === null || found.ageSeconds < rotateAfterSeconds) return null;
      const next = await open(person);
      await logins.endSession(sha256(secret), graceSeconds);
      return next;
    },
    end: (secret) => logins.endSession(sha256(secret), 0),
  };
}

/** Secrets are base64url of 32 bytes; anything else in the cookie was not written here. */
function readCookie(header: string | undefined, name: string): string | null {
  for (const part of (header ?? "").split(";")) {
    const [key, value] = part.trim().split("=", 2);
    if (key === name && value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value)) return value;
  }
  return null;
}
