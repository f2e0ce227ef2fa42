import type { Command } from "commander";
import { adminApiPage } from "../admin/reference.ts";
import { configTables } from "../config/describe.ts";
import { findingsPage } from "../probe/findings-page.ts";
import type { Session } from "./command.ts";
import { createProgram } from "./program.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

/** The pages of docs/reference that are made from the code, by path. `npm run docs` writes them, a test keeps them fresh. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["docs/reference/configuration.md", configurationPage()],
    ["docs/reference/cli.md", await cliPage()],
    ["docs/reference/admin-api.md", `${made}\n${adminApiPage()}`],
    ["docs/reference/findings.md", `${made}\n${findingsPage()}`],
  ]);
}

const made = "<!-- Made from the code by `npm run docs`. Change the code, not this page. -->\n";

const configurationHead = `# Configuration

Tollgate reads one file, \`tollgate.yaml\`, and the environment. Neither is needed to try it out: without a file and
without a vendor's key in the environment it starts in demo mode.

- **Which file**: \`--config\`, else \`TOLLGATE_CONFIG\`, else \`tollgate.yaml\` (or \`tollgate.yml\`) in the working directory.
- **Precedence**: flag, environment, file, default. \`tollgate config show --origin\` prints every value in force and where
  it comes from; secrets are hidden.
- **Strict**: an unknown key, a wrong type or a variable that is not set is an error that names file, line and column, and
  the nearest right name. All of them are told at once. \`tollgate config check\` looks without starting.
- **Editors**: \`tollgate config schema > tollgate.schema.json\`, and as the first line of the file
  \`# yaml-language-server: $schema=./tollgate.schema.json\`.
- Amounts are decimal text, exact: \`"0.25"\`, or \`0.25\` without quotes; never a float. Durations end in \`_ms\`.
- The configuration is read once, at the start. Restart to change it.

## Variables in the file

\`\${NAME}\` in a value stands for the environment variable; \`\${NAME:-default}\` for the default when it is not set or
empty; \`$\${\` for the characters themselves. It is put in after the file is parsed, so that the content of a variable is
never YAML. A secret that lies in a file, as container platforms mount them, is found by \`NAME_FILE\`: with
\`OPENAI_API_KEY_FILE=/run/secrets/openai\` both \`\${OPENAI_API_KEY}\` and the variable alone (below) work.

## The environment alone

| variable | does |
| --- | --- |
| \`OPENAI_API_KEY\`, \`OPENAI_BASE_URL\` | make the endpoint \`openai\`, with every OpenAI model that has a price, under its own name. The base URL is \`https://api.openai.com/v1\` unless given; the key \`none\` is for servers that need none |
| \`AZURE_OPENAI_ENDPOINT\`, \`AZURE_OPENAI_API_KEY\`, \`AZURE_OPENAI_API_VERSION\` (or \`OPENAI_API_VERSION\`), \`AZURE_OPENAI_DEPLOYMENT_NAME\` | make the endpoint \`azure\`, with one model: the deployment under its own name. All four are needed |
| \`DATABASE_URL\` | is \`store\` |
| \`HOST\`, \`PORT\` | are \`server.host\` and \`server.port\` |
| \`TOLLGATE_ADMIN_TOKEN\` | is \`admin.token\` |
| \`TOLLGATE_CONFIG\` | names the file |

The vendors' variables make nothing when the file has \`endpoints\`; when it has \`models\` they make the endpoint and no
models. A model that both vendors serve goes to Azure, and to OpenAI when Azure fails.

## The turn of deployments

The deployments of a model are tried in the order in which they are written: the second is for when the first fails.
Neighbours that have the same \`weight\` written share one turn, each request going to one of them by lot. To share unequally, or
in another order, give every deployment of the model a \`priority\` (the lowest first); those of one priority share by weight.

\`\`\`yaml
deployments:                                                     # two that share, and one for when both fail
  - { endpoint: east, deployment: gpt5, weight: 1 }
  - { endpoint: west, deployment: gpt5, weight: 1 }
  - { endpoint: openai, deployment: gpt-5 }
\`\`\`

## An example

\`\`\`yaml
server: { host: 127.0.0.1, port: 8402 }
store: \${DATABASE_URL:-./tollgate-data}
admin: { token: "\${TOLLGATE_ADMIN_TOKEN:-}" }
credits: { usd: "0.01", name: credit }
markup: "1.20"
endpoints:
  azure-east:
    kind: azure
    base_url: \${AZURE_OPENAI_ENDPOINT}
    api_key: \${AZURE_OPENAI_API_KEY}
    api_version: 2024-12-01-preview
  local:
    kind: openai
    base_url: http://127.0.0.1:8000/v1
    api_key: none
models:
  gpt-5-mini:
    markup: "1.25"
    deployments:
      - { endpoint: azure-east, deployment: my-gpt5-mini, model: gpt-5-mini }
      - { endpoint: local, deployment: gpt-5-mini }
prices:
  - { model: my-tuned, from: 2026-01-01T00:00:00Z, input: "0.25", cached_input: "0.025", output: "2.00" }
\`\`\`

`;

export const configurationPage = (): string => `${made}\n${configurationHead}${configTables()}`;

const cliHead = `# Command line

In a clone: \`npx tollgate …\` after \`npm ci && npm run build\`, or \`npm run tollgate -- …\`, which installs and builds by itself.

- stdout is the result, stderr is messages and progress. \`--json\` prints an object, or one object on each line for lists.
- Colour only on a terminal, and never with \`NO_COLOR\`.
- No secret is given as a flag: the admin token comes from \`TOLLGATE_ADMIN_TOKEN\` (or \`TOLLGATE_ADMIN_TOKEN_FILE\`), or from the data
  directory when the server runs on this machine. A token that is kept here is never sent to another one.
- Accounts are named by their id, by your own \`external_id\`, or by their name when only one has it.

| exit code | means |
| --- | --- |
| ${exitCodes.ok} | done |
| ${exitCodes.failed} | failed; the message says why |
| ${exitCodes.usage} | wrong usage or configuration |
| ${exitCodes.findings} | done, and something was found: a broken invariant, a finding of \`probe\`, pending migrations, something that \`doctor\` calls wrong |
| ${exitCodes.notAuthorised} | not authorised |
| ${exitCodes.unreachable} | server or database unreachable |
| ${exitCodes.interrupted} | interrupted |

`;

/** The help of every command, as it is printed. */
async function cliPage(): Promise<string> {
  const session: Session = { terminal: silent, exitCode: exitCodes.ok };
  const program = await createProgram(session, "", () => true);
  const parts = program.commands.flatMap((command) => describeCommand(command, "tollgate"));
  return `${made}\n${cliHead}${parts.join("\n")}`;
}

function describeCommand(command: Command, parent: string): readonly string[] {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0)
    return command.commands
      .filter((one) => one.name() !== "help")
      .flatMap((one) => describeCommand(one, name));
  if (command.name() === "help") return [];
  const help: string[] = [];
  command.configureOutput({ writeOut: (text) => void help.push(text), getOutHasColors: () => false });
  command.outputHelp();
  return [`## \`${name}\`\n\n\`\`\`text\n${help.join("").trim()}\n\`\`\`\n`];
}

const silent: Terminal = {
  env: {},
  cwd: "/",
  hasColour: false,
  write: async () => undefined,
  print: () => undefined,
  note: () => undefined,
  interrupted: new AbortController().signal,
};
