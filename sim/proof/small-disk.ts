import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system that can be filled without harm to anybody else. */
export interface SmallDisk {
  readonly path: string;
  remove(): void;
}

/** Above this a file system is somebody's, and is not filled, bytes. */
const smallBytes = 2 * 1024 ** 3;

/** Makes one in memory; null where that is not allowed: only root may, and not in every container. */
export function makeSmallDisk(megabytes: number): SmallDisk | null {
  const path = mkdtempSync(join(tmpdir(), "tollgate-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0755`, "tmpfs", path], {
      stdio: "pipe",
    });
  } catch {
    rmSync(path, { recursive: true, force: true });
    return null;
  }
  return {
    path,
    remove() {
      execFileSync("umount", ["-l", path], { stdio: "pipe" });
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Throws when `path` lies on a file system that is not small. */
export function requireSmall(path: string): void {
  const { bsize, blocks } = statfsSync(path);
  if (bsize * blocks > smallBytes)
    throw new Error(
      `Cannot fill the disk: ${path} lies on a file system of more than ${smallBytes} bytes; --disk-full needs --home on a small one`,
    );
}

/** Takes the last byte of the file system below `home`; what it returns gives them back. */
export function fillDisk(home: string): () => void {
  const made: string[] = [];
  for (const size of [1 << 24, 1 << 20, 1 << 16, 4_096]) {
    for (;;) {
      const path = join(home, `filler-${made.length}`);
      made.push(path);
      try {
        writeFileSync(path, Buffer.alloc(size, 1));
      } catch {
        break; // full
      }
    }
  }
  return () => {
    for (const path of made) rmSync(path, { force: true });
  };
}

/**
 * Keeps processes from writing to any file, as a full disk does, by the kernel's limit on the size of files: every write is
 * answered with "File too large". Needs no rights but those of their owner. What it returns takes the limit away again.
 */
export function limitFiles(processes: readonly number[]): () => void {
  const limit = (soft: "0" | "unlimited"): void => {
    for (const pid of processes.flatMap((one) => [one, ...childrenOf(one)])) {
      try {
        // As their owner: root of a container may perhaps not.
        const { uid, gid } = statSync(`/proc/${pid}`);
        execFileSync("prlimit", ["--pid", String(pid), `--fsize=${soft}:`], { uid, gid, stdio: "pipe" });
      } catch (error) {
        if (existsSync(`/proc/${pid}`))
          throw new Error(
            "Cannot fill the disk: neither may a small file system be mounted nor is there `prlimit` (Linux); name a small one with --home",
            { cause: error },
          );
      }
    }
  };
  limit("0");
  return () => limit("unlimited");
}

function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
}

function parentOf(pid: string): number | null {
  try {
    // "pid (name) state parent …"; a name may contain anything.
    return Number(
      readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) \S /s, "")
        .split(" ")[0],
    );
  } catch {
    return null; // it has ended
  }
}
