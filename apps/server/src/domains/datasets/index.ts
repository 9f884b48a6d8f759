// The datasets room's door.
import type { AuditRecorder } from "../../platform/audit.ts";
import type { ContentStore } from "../../platform/content-store.ts";
import type { Database } from "../../platform/db/database.ts";
import type { Router } from "../../platform/route.ts";
import { DataRoots } from "./data-roots.ts";
import { registerDatasetRoutes } from "./routes.ts";
import { DatasetService } from "./service.ts";
import { DatasetStore } from "./store.ts";

export { migrations } from "./migrations.ts";
export type { DatasetService, LocatedData } from "./service.ts";

export interface DatasetsRoomParts {
  readonly database: Database;
  readonly content: ContentStore;
  readonly audit: AuditRecorder;
  /** The data folder. */
  readonly home: string;
  /** Absolute folders from which data may be read. */
  readonly dataRoots: readonly string[];
  readonly maxUploadBytes: number;
  /** All datasets of a project together. */
  readonly maxProjectBytes: number;
  /** Unix seconds. */
  readonly now: () => number;
  readonly defaultProject: () => Promise<number>;
}

/** Datasets, their versions, and the folders of the server from which data may be read. */
export class DatasetsRoom {
  readonly service: DatasetService;
  readonly #roots: DataRoots;
  readonly #store: DatasetStore;
  readonly #defaultProject: () => Promise<number>;

  constructor(parts: DatasetsRoomParts) {
    const { database, content, audit, home, maxUploadBytes, maxProjectBytes, now } = parts;
    this.#store = new DatasetStore(database);
    this.#defaultProject = parts.defaultProject;
    this.#roots = new DataRoots(parts.dataRoots);
    this.service = new DatasetService({
      ...{ store: this.#store, content, audit, home, maxUploadBytes, maxProjectBytes, now },
      roots: this.#roots,
    });
  }

  /** Folders of SPOTTER_DATA_ROOTS that are not there now. */
  missingRoots(): Promise<string[]> {
    return this.#roots.missing();
  }

  /** For the content store's collector. */
  readonly referenced = (sha256s: readonly string[]) => this.#store.referenced(sha256s);

  registerRoutes(router: Router): void {
    registerDatasetRoutes(router, this.service, this.#defaultProject);
  }
}
