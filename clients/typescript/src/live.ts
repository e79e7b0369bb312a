import { ReelbaseError } from './errors.js';
import { sleep, type ReelbaseHttp } from './http.js';
import type { JobStatusAnswer } from './generated/index.js';

export interface WatchOptions {
  signal?: AbortSignal;
  /** `poll` never opens a stream. The default opens one where response bodies can be read as they come. */
  mode?: 'auto' | 'poll';
  /** Between polls. Default 2,000. */
  pollMs?: number;
  /** A stream without a word (the server sends a comment every 15 s) is left for polling. Default 45,000. */
  silenceMs?: number;
}

/** Each change of a job until it is completed or failed: by the event stream, and by polling when that cannot be had or breaks. */
export async function* watchJob(http: ReelbaseHttp, jobId: string, options: WatchOptions = {}): AsyncGenerator<JobStatusAnswer, void, void> {
  const path = `/get-video-status?job_id=${encodeURIComponent(jobId)}`;
  let last = '';
  const isNew = (status: JobStatusAnswer) => {
    const text = JSON.stringify(status);
    return text === last ? false : ((last = text), true);
  };
  if (options.mode !== 'poll' && canStream()) {
    try {
      for await (const status of stream(http, path, options)) {
        if (isNew(status)) yield status;
        if (isFinal(status)) return;
      }
    } catch (error) {
      if (options.signal?.aborted) throw error;
      if (error instanceof ReelbaseError && error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
    }
  }
  for (;;) {
    const status = await http.json<JobStatusAnswer>('GET', path, undefined, {}, options.signal);
    if (isNew(status)) yield status;
    if (isFinal(status)) return;
    await sleep(options.pollMs ?? 2_000, options.signal);
  }
}

const isFinal = (status: JobStatusAnswer): boolean => status.status === 'completed' || status.status === 'failed';

// React Native's fetch gives a response only when its body is whole, which for a stream is its end.
function canStream(): boolean {
  const product = (globalThis as { navigator?: { product?: string } }).navigator?.product;
  return product !== 'ReactNative' && typeof ReadableStream === 'function' && typeof TextDecoder === 'function' && 'body' in Response.prototype;
}

async function* stream(http: ReelbaseHttp, path: string, options: WatchOptions): AsyncGenerator<JobStatusAnswer, void, void> {
  const request = new Request(http.url + path, { headers: { Accept: 'text/event-stream' }, ...(options.signal ? { signal: options.signal } : {}) });
  const response = await http.request(request);
  const reader = response.body?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder();
  const stop = () => void reader.cancel().catch(() => undefined);
  options.signal?.addEventListener('abort', stop);
  let rest = '';
  try {
    for (;;) {
      const silence = new AbortController();
      const silent = sleep(options.silenceMs ?? 45_000, silence.signal).then(
        () => ({ done: true, value: undefined }) as const,
        () => ({ done: true, value: undefined }) as const,
      );
      const { done, value } = await Promise.race([reader.read(), silent]);
      silence.abort();
      if (options.signal?.aborted) throw options.signal.reason;
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const events = rest.split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        const data = event
          .split('\n')
          .filter((line) => line.startsWith('data:'))
          .map((line) => line.slice(5).trimStart())
          .join('\n');
        if (data) yield JSON.parse(data) as JobStatusAnswer;
      }
    }
  } finally {
    options.signal?.removeEventListener('abort', stop);
    stop();
  }
}
