import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

/** One file of the built console, ready to send. */
export interface StaticFile {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** Compressed by the build; absent where that gained nothing. */
  readonly gzip: Uint8Array | null;
  readonly brotli: Uint8Array | null;
  /** Its name changes with its content, so that it may be kept for ever. */
  readonly isHashed: boolean;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json; charset=utf-8",
};

/** All files of the built console by their path, read once: they are small, and no request can name another file. */
export function readStaticFiles(directory: string): ReadonlyMap<string, StaticFile> {
  if (!existsSync(directory)) return new Map();
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const compressed = (path: string): Uint8Array | null => (existsSync(path) ? readFileSync(path) : null);
  return new Map(
    paths.flatMap((path): [string, StaticFile][] => {
      const type = types[extname(path)];
      if (type === undefined) return [];
      const name = path.slice(directory.length + 1).replaceAll("\\", "/");
      const isHashed = name.startsWith("assets/");
      return [
        [
          name,
          {
            type,
            bytes: readFileSync(path),
            gzip: compressed(`${path}.gz`),
            brotli: compressed(`${path}.br`),
            isHashed,
          },
        ],
      ];
    }),
  );
}
