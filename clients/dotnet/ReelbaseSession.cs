namespace Reelbase.Client;

/// <summary>What a signed-in user has. Both tokens are secrets.</summary>
/// <param name="AccessToken">The bearer token of requests.</param>
/// <param name="RefreshToken">Trades for the next pair of tokens.</param>
/// <param name="ExpiresAt">When the access token ends.</param>
/// <param name="UserId">Whose session it is.</param>
public sealed record ReelbaseSession(string AccessToken, string RefreshToken, DateTimeOffset ExpiresAt, Guid UserId)
{
    /// <summary>Names the user and never a token, since records are easily logged.</summary>
    public override string ToString() => $"session of {UserId} until {ExpiresAt:O}";
}

/// <summary>Where a session is kept: the Keychain, the platform's secure storage, or memory.</summary>
public interface ISessionStore
{
    /// <summary>The session that was kept last, if there is one.</summary>
    ValueTask<ReelbaseSession?> LoadAsync(CancellationToken cancellationToken);

    /// <summary>Keeps a session, or forgets it.</summary>
    ValueTask SaveAsync(ReelbaseSession? session, CancellationToken cancellationToken);
}

/// <summary>Keeps the session until the program ends.</summary>
public sealed class MemorySessionStore : ISessionStore
{
    private volatile ReelbaseSession? _session;

    /// <inheritdoc/>
    public ValueTask<ReelbaseSession?> LoadAsync(CancellationToken cancellationToken) => new(_session);

    /// <inheritdoc/>
    public ValueTask SaveAsync(ReelbaseSession? session, CancellationToken cancellationToken)
    {
        _session = session;
        return default;
    }
}
