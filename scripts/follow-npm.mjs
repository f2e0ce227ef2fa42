// `npm start` stands between whoever stops it and the server: npm passes SIGTERM on to its shell, which passes it on to
// nobody, and the server would go on alone, holding its port and its data. So it watches npm, and stops when npm is gone.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const lookMs = 500;
const exitCodes = { SIGINT: 130, SIGTERM: 143 };

/** Sends this process a SIGTERM when the npm that started it has ended, unless it has been told to stop before. */
export function followNpm() {
  const npm = findNpm();
  if (npm === null) return;
  let isStopping = false;
  for (const [signal, code] of Object.entries(exitCodes)) {
    process.on(signal, () => {
      isStopping = true;
      // Listening takes away what a signal does by itself.
      if (process.listenerCount(signal) === 1) process.exit(code);
    });
  }
  const timer = setInterval(() => {
    if (isStopping) clearInterval(timer);
    else if (!isAlive(npm)) process.kill(process.pid, "SIGTERM");
  }, lookMs);
  timer.unref();
}

/** The nearest ancestor that is npm; a shell may stand in between. */
function findNpm() {
  if (process.env.npm_lifecycle_event === undefined || process.platform === "win32") return null;
  let pid = process.ppid;
  for (let level = 0; level < 3 && pid > 1; level++) {
    const ancestor = look(pid);
    if (ancestor === null) return null;
    if (/^npm\b|npm-cli\.js/.test(ancestor.command)) return pid;
    pid = ancestor.parent;
  }
  return null;
}

function look(pid) {
  try {
    if (process.platform === "linux") {
      const parent = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
      return {
        parent: Number(parent?.[1]),
        command: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "),
      };
    }
    const found = /^\s*(\d+)\s+(.*)/.exec(
      execFileSync("ps", ["-o", "ppid=,args=", "-p", String(pid)], { encoding: "utf8" }),
    );
    return found === null ? null : { parent: Number(found[1]), command: found[2] };
  } catch {
    // Not to be seen: then npm cannot be followed, and all is as without it.
    return null;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
