// The queue: what runs and waits, its order, how urgent each training is.
import {
  type CancelQueuedAnswer,
  cancelQueued,
  getQueue,
  type Job,
  type Priority,
  type QueueEntry,
  type QueueView,
  reorderQueue,
  setJobPriority,
} from "@spotter/contract";
import type { HttpClient } from "./http.ts";

/** What runs and what waits, in order. */
export function fetchQueue(client: HttpClient): Promise<QueueView> {
  return client.call(getQueue, {});
}

/** Puts waiting trainings into an order. @example await reorder(client, [57, 55]) */
export function reorder(client: HttpClient, jobIds: readonly number[]): Promise<QueueView> {
  return client.call(reorderQueue, { body: { job_ids: [...jobIds] } });
}

/** Takes waiting jobs out of the queue; each one's result is told. @example await cancelWaiting(client, [57, 55]) */
export function cancelWaiting(
  client: HttpClient,
  jobIds: readonly number[],
): Promise<CancelQueuedAnswer> {
  return client.call(cancelQueued, { body: { job_ids: [...jobIds] } });
}

/** @example await setPriority(client, 57, PRIORITIES.high) */
export function setPriority(client: HttpClient, jobId: number, priority: Priority): Promise<Job> {
  return client.call(setJobPriority, { params: { job_id: jobId }, body: { priority } });
}

/** The waiting trainings among which the caller may move this one: of its class, and where needed of its owner. */
export function movablePeers(queue: QueueView, moved: QueueEntry): QueueEntry[] {
  return queue.waiting.filter(
    (entry) =>
      entry.kind === "train" &&
      entry.priority === moved.priority &&
      entry.may.reorder &&
      (queue.may_reorder_all || entry.owner_id === moved.owner_id),
  );
}

/**
 * The order to ask for when a training is to stand before another one; null: behind all that it may pass. Where that
 * cannot be, the two as they were wished: the server says why not.
 * @example await reorder(client, orderForMove(queue, 57, 55))
 */
export function orderForMove(queue: QueueView, jobId: number, before: number | null): number[] {
  const moved = queue.waiting.find((entry) => entry.job_id === jobId);
  const peers = moved === undefined ? [] : movablePeers(queue, moved);
  const others = peers.filter((entry) => entry.job_id !== jobId);
  const index = others.findIndex((entry) => entry.job_id === before);
  if (moved === undefined || (before !== null && index < 0))
    return before === null ? [jobId] : [jobId, before];
  const order = before === null ? [...others, moved] : others.toSpliced(index, 0, moved);
  const ids = order.map((entry) => entry.job_id);
  if (order.every((entry) => entry.owner_id === moved.owner_id)) return ids;
  // Of several people only as far as something changes: what is not named goes on by fairness.
  const last = ids.findLastIndex((id, position) => id !== peers[position]?.job_id);
  return ids.slice(0, Math.max(1, last + 1));
}
