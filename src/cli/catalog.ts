import type { Lesson } from "../core/parameters.ts";
import type { PriceBook } from "../core/prices.ts";
import type { ModelRoute } from "../core/routing.ts";
import type { Catalog } from "../ports.ts";
import type { LessonStore, StoredLesson } from "../store/lessons.ts";

export interface LiveCatalog extends Catalog {
  /** Reads what other processes learned and published; the next request sees it. */
  refresh(): Promise<void>;
  allLessons(): readonly StoredLesson[];
}

export interface CatalogSources {
  readonly models: readonly ModelRoute[];
  readonly lessons: LessonStore;
  readonly loadBook: () => Promise<PriceBook>;
}

/** Models from the configuration, prices and lessons from the store. A request works on one snapshot of each. */
export async function createCatalog(sources: CatalogSources): Promise<LiveCatalog> {
  const models = new Map(sources.models.map((model) => [model.name, model]));
  const byPlace = new Map(
    sources.models.flatMap((model) =>
      model.deployments.map((one) => [nameOf(one.endpoint, one.deployment.toLowerCase()), one]),
    ),
  );
  let book = await sources.loadBook();
  let stored: readonly StoredLesson[] = [];
  let byDeployment = new Map<string, Lesson[]>();
  const index = (lessons: readonly StoredLesson[]): void => {
    stored = lessons;
    byDeployment = new Map();
    for (const { endpoint, deployment, lesson } of lessons) {
      const name = nameOf(endpoint, deployment);
      byDeployment.set(name, [...(byDeployment.get(name) ?? []), lesson]);
    }
  };
  index(await sources.lessons.all());
  return {
    findModel: (name) => models.get(name) ?? null,
    models: () => [...models.values()],
    prices: () => book,
    lessons: (endpoint, deployment) => byDeployment.get(nameOf(endpoint, deployment)) ?? [],
    findDeployment: (endpoint, deployment) => byPlace.get(nameOf(endpoint, deployment.toLowerCase())) ?? null,
    allLessons: () => stored,
    async learn(endpoint, deployment, lesson) {
      await sources.lessons.put(endpoint, deployment, lesson);
      index(await sources.lessons.all());
    },
    async refresh() {
      book = await sources.loadBook();
      index(await sources.lessons.all());
    },
  };
}

const nameOf = (endpoint: string, deployment: string): string => `${endpoint}\0${deployment}`;
