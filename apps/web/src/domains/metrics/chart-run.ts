// A run whose series are drawn: apart from the page's state, so that what the page is made of can know it too.

/** A run whose curves the page shows. */
export interface ChartRun {
  id: number;
  name: string;
  slot: number;
  /** Unix seconds; what the relative axis counts from. */
  startedAt: number;
  isActive: boolean;
  /** Of a run that the page's own run began in: only its steps up to there are drawn. */
  untilStep?: number;
}
