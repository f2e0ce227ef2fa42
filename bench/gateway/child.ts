/** Entry of the benchmark's processes: runs `main` of the program named first. */
const [program = "", ...args] = process.argv.slice(2);
const { main } = (await import(new URL(`./${program}.js`, import.meta.url).href)) as {
  main: (args: readonly string[]) => unknown;
};
await main(args);
