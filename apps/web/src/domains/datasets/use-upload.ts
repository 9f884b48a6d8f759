// Uploads one zip, or one file of texts, with progress, which fetch cannot tell; can be stopped.
import { ApiError } from "@spotter/client";
import { type Dataset, uploadDataset } from "@spotter/contract";
import { computed, onScopeDispose, ref } from "vue";
import { api } from "../../platform/api.ts";
import { isTextFile, readAnswer, uploadRate } from "./prepare-upload.ts";

export function useUpload() {
  const sent = ref(0);
  const total = ref(0);
  const startedAt = ref(0);
  const isBusy = ref(false);
  const progress = computed(() => uploadRate(sent.value, total.value, startedAt.value, Date.now()));
  let request: XMLHttpRequest | null = null;

  function upload(file: File, name: string, project: { project_id?: string }): Promise<Dataset> {
    const isText = isTextFile(file.name);
    const query = { name, ...project, ...(isText ? { file: file.name } : {}) };
    const address = api.url(uploadDataset.path, { query });
    sent.value = 0;
    total.value = file.size;
    startedAt.value = Date.now();
    isBusy.value = true;
    return new Promise<Dataset>((resolve, reject) => {
      const sending = new XMLHttpRequest();
      request = sending;
      sending.upload.onprogress = (event) => {
        sent.value = event.loaded;
      };
      sending.onload = () => {
        const answer = readAnswer(sending.status, sending.responseText);
        if ("dataset" in answer) resolve(answer.dataset);
        else reject(answer.failure);
      };
      sending.onerror = () => reject(new ApiError("unreachable", 0, "The server does not answer."));
      sending.onabort = () =>
        reject(new ApiError("upload-incomplete", 0, "The upload was stopped; nothing was kept."));
      sending.open("POST", address);
      sending.setRequestHeader(
        "content-type",
        isText ? "application/octet-stream" : "application/zip",
      );
      sending.setRequestHeader("accept", "application/json");
      sending.send(file);
    }).finally(() => {
      isBusy.value = false;
      request = null;
    });
  }

  function stop(): void {
    request?.abort();
  }
  onScopeDispose(stop);

  return { sent, total, progress, isBusy, upload, stop };
}
