/** What the server refused, or what became of a request that got no usable response. */
export class ReelbaseError extends Error {
  override readonly name = 'ReelbaseError';

  constructor(
    /** `ERR_4001` and so on (docs/errors.md); an auth or storage code; `network`, `timeout` or `http` when no error body came. */
    readonly code: string,
    /** In the caller's language when the server wrote it. */
    message: string,
    /** The HTTP status; 0 when there was no response. */
    readonly status: number,
    readonly details: Record<string, unknown> = {},
    /** Seconds that the server asks to wait. */
    readonly retryAfter?: number,
    /** The trace id that finds the request in the server's logs. */
    readonly requestId?: string,
  ) {
    super(message);
  }
}

/** Reads any of the three error shapes: the API's own, the auth API's and the storage API's. */
export function errorOf(status: number, body: string, retryAfterHeader: string | null): ReelbaseError {
  const retryAfter = secondsOf(retryAfterHeader);
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = undefined;
  }
  const outer = record(parsed);
  const inner = record(outer.error);
  if (typeof inner.code === 'string') {
    return new ReelbaseError(inner.code, text(inner.message), status, record(inner.details), retryAfter, textOrNone(inner.trace_id));
  }
  const code = textOrNone(outer.code) ?? textOrNone(outer.error_code) ?? textOrNone(outer.error) ?? 'http';
  const message = textOrNone(outer.message) ?? textOrNone(outer.msg) ?? textOrNone(outer.error_description) ?? `HTTP ${status}`;
  return new ReelbaseError(code, message, status, {}, retryAfter);
}

function secondsOf(header: string | null): number | undefined {
  if (!header) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}

const record = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {});
const textOrNone = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const text = (value: unknown): string => textOrNone(value) ?? '';
