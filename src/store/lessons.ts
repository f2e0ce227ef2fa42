import { type Lesson, lessonName } from "../core/lessons.ts";
import { type Queryable, sql } from "./db.ts";

const selectLessons = sql`
  select endpoint, deployment, value, evidence, learned_at from lessons
  where expires_at is null or expires_at > clock_timestamp() order by learned_at`;
const upsertLesson = sql`
  insert into lessons (endpoint, deployment, lesson, value, evidence, expires_at)
  values ($1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 day')
  on conflict (endpoint, deployment, lesson) do update
    set value = excluded.value, evidence = excluded.evidence, learned_at = clock_timestamp(), expires_at = excluded.expires_at`;
const deleteLessons = sql`delete from lessons where endpoint = $1 and deployment = $2`;

/** Vendors change: what was learned is tried anew after this many days. */
const lessonLifeDays = 30;

export interface StoredLesson {
  readonly endpoint: string;
  readonly deployment: string;
  readonly lesson: Lesson;
  readonly learnedAt: string;
}

export interface LessonStore {
  all(): Promise<readonly StoredLesson[]>;
  put(endpoint: string, deployment: string, lesson: Lesson): Promise<void>;
  forget(endpoint: string, deployment: string): Promise<void>;
}

export function createLessonStore(db: Queryable): LessonStore {
  return {
    async all() {
      const rows = await db.query<{ endpoint: string; deployment: string; value: Lesson; learned_at: Date }>(
        selectLessons,
      );
      return rows.map((row) => ({
        endpoint: row.endpoint,
        deployment: row.deployment,
        lesson: row.value,
        learnedAt: row.learned_at.toISOString(),
      }));
    },
    async put(endpoint, deployment, lesson) {
      await db.query(upsertLesson, [
        endpoint,
        deployment,
        lessonName(lesson),
        JSON.stringify(lesson),
        lesson.evidence,
        lessonLifeDays,
      ]);
    },
    async forget(endpoint, deployment) {
      await db.query(deleteLessons, [endpoint, deployment]);
    },
  };
}
