/** What has to be closed at the end, whichever end that is; the last one opened is closed first. */
export class Closers {
  private readonly closers: (() => unknown)[] = [];
  private isClosed = false;

  /** Once all is closed, what still comes to be is closed at once. */
  add(close: () => unknown): void {
    if (this.isClosed) void close();
    else this.closers.push(close);
  }

  /** Closes everything, whatever of it fails; then throws the first failure. */
  async closeAll(): Promise<void> {
    this.isClosed = true;
    const failures: unknown[] = [];
    for (const close of this.closers.splice(0).toReversed()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
