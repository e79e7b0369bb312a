import { createClient, type Client } from './generated/client/index.js';
import type { DeviceCheckAnswer, DeviceCheckRequest, GenerateVideoAnswer, GenerateVideoRequest, JobStatusAnswer } from './generated/index.js';
import { ReelbaseHttp, type ReelbaseOptions } from './http.js';
import { watchJob, type WatchOptions } from './live.js';
import type { Session } from './session.js';
import { uploadPicture, type UploadOptions } from './upload.js';

export { ReelbaseError } from './errors.js';
export { MemorySessionStore, type Session, type SessionStore } from './session.js';
export type { ReelbaseOptions } from './http.js';
export type { UploadOptions } from './upload.js';
export type { WatchOptions } from './live.js';
export * as operations from './generated/sdk.gen.js';
export type * from './generated/types.gen.js';

export interface GenerateOptions {
  /** One for each tap of the button; the same key and body is charged once, however often it is sent. Made up when absent. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** A Reelbase server. Every generated operation works with it as well: `operations.getModels({ client: reelbase.api })`. */
export class Reelbase {
  /** For the generated operations: with this client's session, retries and errors. */
  readonly api: Client;
  private readonly http: ReelbaseHttp;

  constructor(options: ReelbaseOptions) {
    this.http = new ReelbaseHttp(options);
    this.api = createClient({
      baseUrl: this.http.url,
      throwOnError: true,
      fetch: (input, init) => this.http.request(new Request(input, init)),
    });
  }

  /** The session that is kept, as it is. */
  session(): Promise<Session | null> {
    return this.http.session();
  }

  /** Keeps a session from elsewhere (Sign in with Apple), or none. */
  setSession(session: Session | null): Promise<void> {
    return this.http.setSession(session);
  }

  /** Onboards a guest, or opens a known device's session, and keeps it. */
  async checkDevice(request: DeviceCheckRequest, signal?: AbortSignal): Promise<DeviceCheckAnswer> {
    const answer = await this.http.json<DeviceCheckAnswer>('POST', '/device-check', request, {}, signal, true);
    await this.http.setSession({
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token,
      expiresAt: answer.expires_at,
      userId: answer.user_id,
    });
    return answer;
  }

  /** Accepts a generation; a lost response, 5xx and 429 are retried with the same key. */
  generateVideo(request: GenerateVideoRequest, options: GenerateOptions = {}): Promise<GenerateVideoAnswer> {
    const headers = { 'Idempotency-Key': options.idempotencyKey ?? newKey() };
    return this.http.json('POST', '/generate-video', request, headers, options.signal);
  }

  /** Each change of a job until it has ended. */
  watchJob(jobId: string, options?: WatchOptions): AsyncGenerator<JobStatusAnswer, void, void> {
    return watchJob(this.http, jobId, options);
  }

  /** Uploads a picture of the user's; what it answers goes into `image_url`. */
  uploadPicture(name: string, picture: Blob, options: UploadOptions): Promise<string> {
    return uploadPicture(this.http, name, picture, options);
  }
}

/** A UUID, also where there is no WebCrypto (React Native): it has to be unique for one user and need not be secret. */
export function newKey(): string {
  if (typeof globalThis.crypto?.randomUUID === 'function') return globalThis.crypto.randomUUID();
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () => Math.floor(Math.random() * 16).toString(16));
}
