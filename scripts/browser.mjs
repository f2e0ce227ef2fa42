// The browser that the console's tests drive: the system's Chromium or Chrome; installed where that is one command away.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { say } from "./prepare.mjs";

const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome-stable",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** Names a browser in CHROMIUM_PATH, for the tests; without one they fail and say what to do. */
export function provideBrowser() {
  if (process.env.CHROMIUM_PATH) return;
  const found = findBrowser() ?? installBrowser();
  if (found !== undefined) process.env.CHROMIUM_PATH = found;
}

const findBrowser = () => places.find((path) => existsSync(path));

/** On Debian and its kin, for those who may; anywhere else it is left to people. */
function installBrowser() {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get"))
    return undefined;
  say("Installing Chromium for the console's tests…");
  const options = {
    stdio: ["ignore", "ignore", 2],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  };
  try {
    execFileSync("apt-get", ["update", "-qq"], options);
    execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], options);
  } catch (error) {
    say(
      `Cannot install Chromium: apt-get ended with ${error.status ?? error.code}; install a browser and name it in CHROMIUM_PATH.`,
    );
  }
  return findBrowser();
}
