import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system that can be filled without harm to anybody else. */
export interface SmallDisk {
  readonly path: string;
  remove(): void;
}

/** Above this a file system is somebody's, and is not filled, bytes. */
const smallBytes = 2 * 1024 ** 3;

/** Makes one in memory; only root may. */
export function makeSmallDisk(megabytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), "tollgate-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0755`, "tmpfs", path], {
      stdio: "pipe",
    });
  } catch (error) {
    rmSync(path, { recursive: true, force: true });
    throw new Error(
      "Cannot make a small file system: mounting one was refused; run as root, or name an existing one with --home",
      { cause: error },
    );
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
