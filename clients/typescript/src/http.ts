import { ReelbaseError, errorOf } from './errors.js';
import { MemorySessionStore, type Session, type SessionStore } from './session.js';

export interface ReelbaseOptions {
  /** The server's address. */
  url: string;
  sessionStore?: SessionStore;
  fetch?: typeof fetch;
  /** `en`, `tr` or `es`; the user's own setting wins once there is one. */
  language?: string;
  /** For one attempt. Default 60,000. */
  timeoutMs?: number;
  /** Of a request that may be repeated. Default 5. */
  maxAttempts?: number;
  /** A longer `Retry-After` is an error at once. Default 30. */
  maxRetryAfterSeconds?: number;
  /** The first pause between attempts, which doubles. Default 500. */
  retryBaseMs?: number;
}

/** Requests with the session's token, refreshed by one request at a time, and repeated where that is safe. */
export class ReelbaseHttp {
  readonly url: string;
  private readonly store: SessionStore;
  private readonly send: typeof fetch;
  private refreshing: Promise<Session> | null = null;

  constructor(private readonly options: ReelbaseOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.store = options.sessionStore ?? new MemorySessionStore();
    this.send = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  async session(): Promise<Session | null> {
    return await this.store.load();
  }

  async setSession(session: Session | null): Promise<void> {
    await this.store.save(session);
  }

  /** The session with a token that is good for another half minute. */
  async freshSession(): Promise<Session | null> {
    const session = await this.store.load();
    return session && session.expiresAt * 1000 < Date.now() + 30_000 ? await this.refresh(session) : session;
  }

  /** Trades the refresh token. However many ask at once, one request goes out and all get its session. */
  refresh(stale: Session): Promise<Session> {
    this.refreshing ??= this.exchange(stale).finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  private async exchange(stale: Session): Promise<Session> {
    // Somebody who was refused with an older token comes after the refresh: the kept session is the newer one.
    const kept = await this.store.load();
    if (kept && kept.accessToken !== stale.accessToken) return kept;
    try {
      // The direct predecessor of a refresh token stays good, so a refresh whose response was lost may be repeated.
      const body = JSON.stringify({ refresh_token: stale.refreshToken });
      const request = new Request(`${this.url}/auth/v1/token?grant_type=refresh_token`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Supabase-Api-Version': '2024-01-01' },
        body,
      });
      const response = await this.attempts(request, true);
      const answer = (await response.json()) as { access_token: string; refresh_token: string; expires_at: number };
      const session = { accessToken: answer.access_token, refreshToken: answer.refresh_token, expiresAt: answer.expires_at, userId: stale.userId };
      await this.store.save(session);
      return session;
    } catch (error) {
      // Only the server's word ends a session; a bad network or a busy server never does.
      if (error instanceof ReelbaseError && (error.status === 400 || error.status === 403)) await this.store.save(null);
      throw error;
    }
  }

  /** Sends with the session's token; throws `ReelbaseError` for everything but 2xx and 304. */
  async request(request: Request, isAnonymous = false): Promise<Response> {
    const repeatable = request.method === 'GET' || request.method === 'HEAD' || request.headers.has('Idempotency-Key');
    const session = isAnonymous ? null : await this.freshSession();
    if (!session) return await this.attempts(request, repeatable);
    const again = request.clone();
    try {
      return await this.attempts(signed(request, session), repeatable);
    } catch (error) {
      if (!(error instanceof ReelbaseError) || error.status !== 401) throw error;
      return await this.attempts(signed(again, await this.refresh(session)), repeatable);
    }
  }

  /** JSON in and out. */
  async json<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}, signal?: AbortSignal, isAnonymous = false): Promise<T> {
    const request = new Request(this.url + path, {
      method,
      headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
    return (await (await this.request(request, isAnonymous)).json()) as T;
  }

  private async attempts(request: Request, repeatable: boolean): Promise<Response> {
    const most = repeatable ? (this.options.maxAttempts ?? 5) : 1;
    if (this.options.language && !request.headers.has('Accept-Language')) request.headers.set('Accept-Language', this.options.language);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once(request.clone());
      } catch (error) {
        if (!(error instanceof ReelbaseError) || request.signal.aborted || attempt >= most || !this.isPassing(error)) throw error;
        const pause = (this.options.retryBaseMs ?? 500) * 2 ** (attempt - 1) * (0.8 + 0.4 * Math.random());
        await sleep(error.retryAfter === undefined ? Math.min(pause, 30_000) : error.retryAfter * 1000, request.signal);
      }
    }
  }

  private isPassing(error: ReelbaseError): boolean {
    if ((error.retryAfter ?? 0) > (this.options.maxRetryAfterSeconds ?? 30)) return false;
    return error.status === 0 || error.status === 429 || error.status >= 500;
  }

  private async once(request: Request): Promise<Response> {
    const limit = new AbortController();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      limit.abort();
    }, this.options.timeoutMs ?? 60_000);
    const pass = () => limit.abort();
    request.signal.addEventListener('abort', pass);
    if (request.signal.aborted) pass();
    try {
      const response = await this.send(request, { signal: limit.signal });
      if (response.ok || response.status === 304) {
        // A stream goes on for minutes; its reader stops it and watches for silence.
        if (response.headers.get('Content-Type')?.startsWith('text/event-stream')) return response;
        const bytes = response.status === 204 || response.status === 304 || request.method === 'HEAD' ? null : await response.arrayBuffer();
        return new Response(bytes, { status: response.status, statusText: response.statusText, headers: response.headers });
      }
      throw errorOf(response.status, await response.text(), response.headers.get('Retry-After'));
    } catch (error) {
      if (error instanceof ReelbaseError) throw error;
      if (request.signal.aborted) throw error;
      throw new ReelbaseError(late ? 'timeout' : 'network', late ? 'the server did not answer in time' : String(error), 0);
    } finally {
      clearTimeout(timer);
      request.signal.removeEventListener('abort', pass);
    }
  }
}

function signed(request: Request, session: Session): Request {
  request.headers.set('Authorization', `Bearer ${session.accessToken}`);
  return request;
}

/** Waits, or throws as soon as the signal is aborted. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason ?? new Error('aborted'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
