// Smooths a curve for the eye: a time-weighted, debiased exponential mean. Diagnosis never uses these values.

/** Part of the view that is also requested to its left, so that zooming does not bend the smoothed edge. */
export const LEAD_IN = 0.1;
export const MAX_SMOOTHING = 0.99;

/**
 * Smooths `values` over `x`; null restarts it, so that nothing leaks over a gap.
 * @param weight 0 (off) to 0.99: how much of the past is kept over one `unit` of x
 * @param unit usual distance between points of the whole series, and not of the view: the same curve at every zoom
 */
export function smoothSeries(
  x: readonly number[],
  values: readonly (number | null)[],
  weight: number,
  unit: number,
): (number | null)[] {
  const kept = Math.min(Math.max(weight, 0), MAX_SMOOTHING);
  if (kept === 0 || unit <= 0) return [...values];
  const smoothed: (number | null)[] = [];
  let mean = 0;
  // Share of real data in the mean; dividing by it takes out the pull towards the zero it began with.
  let share = 0;
  let previousX = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? null;
    if (value === null) {
      mean = 0;
      share = 0;
      smoothed.push(null);
      continue;
    }
    const place = x[index] ?? 0;
    const keep = share === 0 ? kept : kept ** ((place - previousX) / unit);
    mean = keep * mean + (1 - keep) * value;
    share = keep * share + (1 - keep);
    previousX = place;
    // Two points on one place: the second changes nothing, but there is always a mean to give.
    smoothed.push(share === 0 ? value : mean / share);
  }
  return smoothed;
}
