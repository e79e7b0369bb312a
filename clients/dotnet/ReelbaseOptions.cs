namespace Reelbase.Client;

/// <summary>How a client behaves.</summary>
public sealed class ReelbaseOptions
{
    /// <summary>The server's address.</summary>
    public required Uri Url { get; init; }

    /// <summary>Where the session is kept; memory by default.</summary>
    public ISessionStore SessionStore { get; init; } = new MemorySessionStore();

    /// <summary><c>en</c>, <c>tr</c> or <c>es</c>; the user's own setting wins once there is one.</summary>
    public string? Language { get; init; }

    /// <summary>For one attempt.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For one upload.</summary>
    public TimeSpan UploadTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Of a request that may be repeated.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>A longer <c>Retry-After</c> is an error at once.</summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The first pause between attempts, which doubles.</summary>
    public TimeSpan RetryBase { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>What sends; the platform's own by default. It belongs to the client, which disposes it.</summary>
    public HttpMessageHandler? Transport { get; init; }
}
