// Every small mistake that could be made in a TypeScript file, all in one text: each is switched on by its number in
// `globalThis.mutant`. So a file is instrumented once, and trying a mutant is one run of its tests.
import { parseSync } from "vite";

/** What one operator is mistaken for. Of comparisons both the other border and the other side. */
const operators = {
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "**": ["*"],
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "===": ["!=="],
  "!==": ["==="],
  "&&": ["||"],
  "||": ["&&"],
  "??": ["&&"],
};
const assignments = { "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "??=": "=" };
const methods = new Map([
  ["max", "min"],
  ["min", "max"],
  ["some", "every"],
  ["every", "some"],
]);
/** Calls without which the value stays what it was. */
const droppable = new Set(["filter", "sort", "reverse", "trim"]);
/** Types, and names that are no values. */
const skippedKeys = new Set([
  "typeAnnotation",
  "typeParameters",
  "typeArguments",
  "returnType",
  "superTypeArguments",
]);
const skippedTypes = /^(Import|ExportAll|TS(?!As|NonNull|Satisfies))/;
const endless = 500_000;

/** `text` with all mutants inside, and the list of them. The lines stay what they were. */
export function instrument(name, text) {
  const { program, errors } = parseSync(name, text);
  if (errors.length > 0) throw new Error(`Cannot mutate ${name}: ${errors[0].message}`);
  const mutants = [];
  const add = (node, replacement) => {
    const before = text.slice(0, node.start).split("\n");
    const id = mutants.length + 1;
    mutants.push({
      id,
      line: before.length,
      column: before.at(-1).length + 1,
      original: text.slice(node.start, node.end),
      replacement,
    });
    return id;
  };

  /** The text of a node, its children instrumented. */
  function inside(node) {
    let made = "";
    let at = node.start;
    for (const child of childrenOf(node)) {
      made += text.slice(at, child.start) + emit(child, node);
      at = child.end;
    }
    return made + text.slice(at, node.end);
  }

  function emit(node, parent) {
    const variants = variantsOf(node, parent, text);
    if (node.type === "ExpressionStatement" && typeof node.directive !== "string") {
      const id = add(node, "");
      // In braces of its own, or an `else` behind it would become its.
      return `{ if (globalThis.mutant !== ${id}) { ${inside(node)} } }`;
    }
    const isLoopBody = node.type === "BlockStatement" && /^(While|DoWhile|For)/.test(parent.type);
    const body = inside(node);
    if (isLoopBody)
      return `{ if ((globalThis.mutantSteps = (globalThis.mutantSteps ?? 0) + 1) > ${endless}) throw new Error("endless");${body.slice(1)}`;
    if (variants.length === 0) return body;
    const choices = variants.map(
      (variant) => `globalThis.mutant === ${add(node, variant)} ? (${variant}) : `,
    );
    return `(${choices.join("")}(${body}))`;
  }

  return { text: inside({ ...program, start: 0, end: text.length }), mutants };
}

/** Child nodes that are code, in the order of the text. */
function childrenOf(node) {
  const children = [];
  for (const [key, value] of Object.entries(node)) {
    if (skippedKeys.has(key)) continue;
    if (key === "key" && !node.computed) continue;
    if (key === "source" && typeof value === "object") continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child === null || typeof child !== "object" || typeof child.type !== "string") continue;
      if (skippedTypes.test(child.type) || child.start === undefined) continue;
      if (node.shorthand === true && key === "value") continue;
      children.push(child);
    }
  }
  return children.sort((a, b) => a.start - b.start);
}

/** What `node` could have been by mistake, as texts. */
function variantsOf(node, parent, text) {
  const of = (part) => text.slice(part.start, part.end);
  const isTest = parent.test === node && parent.type !== "SwitchCase";
  const found = [];
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
      for (const operator of operators[node.operator] ?? [])
        found.push(`(${of(node.left)}) ${operator} (${of(node.right)})`);
      break;
    case "AssignmentExpression":
      if (assignments[node.operator] !== undefined)
        found.push(`${of(node.left)} ${assignments[node.operator]} ${of(node.right)}`);
      break;
    case "UnaryExpression":
      if (node.operator === "!" || node.operator === "-") found.push(of(node.argument));
      break;
    case "Literal":
      found.push(...literals(node, parent));
      break;
    case "TemplateLiteral":
      if (!isMessage(parent)) found.push("``");
      break;
    case "ArrayExpression":
      if (node.elements.length > 0) found.push("[]");
      break;
    case "CallExpression":
      found.push(...calls(node, of));
      break;
  }
  // A loop that is always entered again never ends: that is no mistake anybody would miss.
  if (isTest) found.push(...(/^(While|DoWhile|For)/.test(parent.type) ? ["false"] : ["true", "false"]));
  return found;
}

function literals(node, parent) {
  if (typeof node.value === "boolean") return [String(!node.value)];
  if (typeof node.value === "number") return [String(node.value + 1)];
  if (typeof node.value === "bigint" || node.bigint !== undefined) return [`${BigInt(node.bigint) + 1n}n`];
  if (typeof node.value === "string" && !isMessage(parent) && parent.type !== "ExpressionStatement")
    return [node.value === "" ? '"mutant"' : '""'];
  return [];
}

/** What errors say is for people; it is tested where it matters and not mutated. */
const isMessage = (parent) =>
  parent.type === "NewExpression" && /Error|Missing/.test(parent.callee.name ?? "");

function calls(node, of) {
  const { callee } = node;
  if (callee.type !== "MemberExpression" || callee.computed) return [];
  const name = callee.property.name;
  const rest = `(${node.arguments.map(of).join(", ")})`;
  if (methods.has(name)) return [`${of(callee.object)}.${methods.get(name)}${rest}`];
  return droppable.has(name) ? [of(callee.object)] : [];
}
