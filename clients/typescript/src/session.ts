/** What a signed-in user has. */
export interface Session {
  accessToken: string;
  refreshToken: string;
  /** Unix seconds. */
  expiresAt: number;
  userId: string;
}

/** Where a session is kept: the Keychain, the secure store of the platform, or memory. */
export interface SessionStore {
  load(): Session | null | Promise<Session | null>;
  save(session: Session | null): void | Promise<void>;
}

/** Keeps the session until the program ends. */
export class MemorySessionStore implements SessionStore {
  private session: Session | null = null;

  load(): Session | null {
    return this.session;
  }

  save(session: Session | null): void {
    this.session = session;
  }
}
