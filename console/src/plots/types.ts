/** One series of a plot: its name, and a page that shows what is behind it. */
export interface Series {
  readonly id: string;
  readonly name: string;
  /** 0 to 8; 8 is for "other". */
  readonly colour: number;
  /** Said in the legend beside the name, as the total. */
  readonly note?: string;
  /** Address within the console. */
  readonly to?: string;
}

/** A span of time on the x axis, ms since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** One point in time of a plot: what a reader hears and reads, and the rows of its table. */
export interface Reading extends Span {
  /** "20 Nov, 14:00" */
  readonly label: string;
  /** By series id: text for people; null = no data, which is not 0. */
  readonly texts: Readonly<Record<string, string | null>>;
}
