/**
 * Edits of JSON as text, so that every byte but the edited ones stays as the vendor sent it. The text is one JSON object,
 * or event lines that hold one. One pass each: a vendor may repeat a member as often as it likes.
 */

/** `text` without its top-level members called `name`; null when there is none. Used to take out `usage` nobody asked for. */
export function withoutMember(text: string, name: string): string | null {
  const quoted = JSON.stringify(name);
  if (!text.includes(quoted)) return null;
  const kept: string[] = [];
  let from = 0;
  for (const { cut } of membersCalled(text, quoted)) {
    kept.push(text.slice(from, cut.from));
    from = cut.to;
  }
  return from === 0 ? null : `${kept.join("")}${text.slice(from)}`;
}

/**
 * `text` with `members` (name → JSON text) at the end of the object at `path`, in place of members of the same name;
 * null when there is no object there.
 */
export function withMembers(
  text: string,
  path: readonly string[],
  members: Readonly<Record<string, string>>,
): string | null {
  const range = findObject(text, path);
  if (range === null) return null;
  let object = text.slice(range.from, range.to);
  for (const name of Object.keys(members)) object = withoutMember(object, name) ?? object;
  const close = object.lastIndexOf("}");
  const isEmpty = skipBlanks(object, 1) === close;
  const added = Object.entries(members).map(([name, json]) => `${JSON.stringify(name)}:${json}`);
  const before = object.slice(0, close).trimEnd();
  return `${text.slice(0, range.from)}${before}${isEmpty ? "" : ","}${added.join(",")}${object.slice(close)}${text.slice(range.to)}`;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** The last member of each name counts, as for every JSON parser. */
function findObject(text: string, path: readonly string[]): Range | null {
  let offset = 0;
  let part = text;
  for (const name of path) {
    const member = membersCalled(part, JSON.stringify(name)).at(-1);
    if (member === undefined || part[member.value.from] !== "{") return null;
    part = part.slice(member.value.from, member.value.to);
    offset += member.value.from;
  }
  return { from: offset, to: offset + part.length };
}

interface Member {
  readonly value: Range;
  /** With the comma that separates it: the first member takes the one after it along, every other one the one before it. */
  readonly cut: Range;
}

/** The top-level members of the first object in `text`. Skips strings and nested values by depth. */
function membersCalled(text: string, quoted: string): Member[] {
  const members: Member[] = [];
  let depth = 0;
  let comma = -1;
  for (let i = text.indexOf("{"); i >= 0 && i < text.length; i += 1) {
    const char = text[i];
    if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") depth -= 1;
    else if (char === "," && depth === 1) comma = i;
    else if (char === '"') {
      const close = stringEnd(text, i);
      const from =
        depth === 1 && text.slice(i, close + 1) === quoted ? afterMark(text, close + 1, ":") : null;
      if (from === null) {
        i = close;
        continue;
      }
      const to = endOfValue(text, from);
      const cut = comma >= 0 ? { from: comma, to } : { from: i, to: afterMark(text, to, ",") ?? to };
      members.push({ value: { from, to }, cut });
      i = cut.to - 1;
    }
  }
  return members;
}

/** Where the text goes on after `mark` and the blanks around it; null when something else stands there. */
function afterMark(text: string, from: number, mark: string): number | null {
  const at = skipBlanks(text, from);
  return text[at] === mark ? skipBlanks(text, at + 1) : null;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === " " || text[at] === "\t" || text[at] === "\n" || text[at] === "\r") at += 1;
  return at;
}

function stringEnd(text: string, open: number): number {
  for (let i = open + 1; ; i += 1) {
    i = text.indexOf('"', i);
    if (i < 0) return text.length;
    let slashes = 0;
    while (text[i - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return i;
  }
}

function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i += 1) {
    const char = text[i];
    if (char === '"') i = stringEnd(text, i);
    else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") {
      if (depth === 0) return i;
      depth -= 1;
      if (depth === 0) return i + 1;
    } else if (char === "," && depth === 0) return i;
  }
  return text.length;
}
