import { ReelbaseError, errorOf } from './errors.js';
import type { ReelbaseHttp } from './http.js';
import type { UploadAnswer } from './generated/index.js';

export interface UploadOptions {
  contentType: string;
  /** Bytes sent so far and in all; step by step where there is an XMLHttpRequest, else at the start and the end. */
  onProgress?: (sent: number, total: number) => void;
  signal?: AbortSignal;
  /** Replaces a picture of that name. */
  replace?: boolean;
}

/** Puts a picture into the user's own folder and answers how `generateVideo` names it: `uploads/<user>/<name>`. */
export async function uploadPicture(http: ReelbaseHttp, name: string, picture: Blob, options: UploadOptions): Promise<string> {
  const session = await http.freshSession();
  if (!session) throw new ReelbaseError('ERR_4005', 'nobody is signed in', 0);
  const url = `${http.url}/storage/v1/object/uploads/${session.userId}/${encodeURIComponent(name)}`;
  const headers: Record<string, string> = { 'Content-Type': options.contentType, 'x-upsert': options.replace ? 'true' : 'false' };
  options.onProgress?.(0, picture.size);
  let answer: UploadAnswer;
  if (typeof XMLHttpRequest === 'function') {
    const send = (token: string) => sendByXhr(url, { ...headers, Authorization: `Bearer ${token}` }, picture, options);
    try {
      answer = await send(session.accessToken);
    } catch (error) {
      if (!(error instanceof ReelbaseError) || error.status !== 401) throw error;
      answer = await send((await http.refresh(session)).accessToken);
    }
  } else {
    const request = new Request(url, { method: 'POST', headers, body: picture, ...(options.signal ? { signal: options.signal } : {}) });
    answer = (await (await http.request(request)).json()) as UploadAnswer;
    options.onProgress?.(picture.size, picture.size);
  }
  return answer.Key;
}

function sendByXhr(url: string, headers: Record<string, string>, body: Blob, options: UploadOptions): Promise<UploadAnswer> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const stop = () => xhr.abort();
    const end = (act: () => void) => {
      options.signal?.removeEventListener('abort', stop);
      act();
    };
    xhr.open('POST', url);
    for (const [key, value] of Object.entries(headers)) xhr.setRequestHeader(key, value);
    xhr.upload.onprogress = (event) => options.onProgress?.(event.loaded, body.size);
    xhr.onload = () =>
      end(() =>
        xhr.status >= 200 && xhr.status < 300
          ? resolve(JSON.parse(xhr.responseText) as UploadAnswer)
          : reject(errorOf(xhr.status, xhr.responseText, xhr.getResponseHeader('Retry-After'))),
      );
    xhr.onerror = () => end(() => reject(new ReelbaseError('network', 'the upload was cut off', 0)));
    xhr.onabort = () => end(() => reject(options.signal?.reason ?? new Error('aborted')));
    options.signal?.addEventListener('abort', stop);
    if (options.signal?.aborted) stop();
    else xhr.send(body);
  });
}
