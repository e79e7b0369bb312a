using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Platform.Http;

/// <summary>Whom a limit counts: a user, or a network as <see cref="ClientAddress.Network"/> has it.</summary>
public readonly record struct LimitSubject(string Action, Guid? UserId, IPAddress? Network)
{
    public static LimitSubject Of(string action, Guid userId) => new(action, userId, null);

    public static LimitSubject Of(string action, IPAddress? address) => new(action, null, ClientAddress.Network(address ?? IPAddress.None));
}

/// <summary>
/// What the database has refused by a limit, until when: a bounded memory of this node. It decides nothing by itself. It sends a request the cheap way,
/// where the database confirms for many requests in one statement, without locks, that the limit still stands; what it does not confirm goes the
/// usual way, so a success never depends on this.
/// </summary>
public sealed class ReachedLimits(IOptions<FloodOptions> options, TimeProvider clock)
{
    private static readonly TimeSpan SweepPause = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<LimitSubject, long> _until = new();
    private readonly Lock _sweeping = new();
    private long? _swept;

    /// <summary>Limits that are remembered now.</summary>
    public int Count => _until.Count;

    /// <summary>Whether the database has said that this limit is reached, and its time is not over.</summary>
    public bool Contains(LimitSubject subject) => _until.TryGetValue(subject, out var until) && until > Now;

    /// <summary>Remembers a refusal by a limit; any other error is not its business. For a <c>when</c> that lets every error pass on: always false.</summary>
    /// <param name="error">What the database said.</param>
    /// <param name="subjectOf">Whom the limit counts, by the scope of the refusal; null for a scope that is not remembered.</param>
    public bool Note(NpgsqlException error, Func<string, LimitSubject?> subjectOf)
    {
        if (
            error is PostgresException { SqlState: "RB001", MessageText: ErrorCodes.RateLimited }
            && DatabaseErrors.Translate(error).Details is { } details
            && details.TryGetProperty("scope", out var scope)
            && details.TryGetProperty("retry_after_seconds", out var seconds)
            && subjectOf(scope.GetString() ?? "") is { } subject
        )
        {
            Add(subject, seconds.GetInt32());
        }
        return false;
    }

    /// <summary>Remembers a limit whose last place was just taken, so that not even the first who comes over it costs a refusal in the database.</summary>
    public void Note(LimitSubject subject, int? remaining, DateTime? resetAt)
    {
        if (remaining is 0 && resetAt is { } until)
        {
            Add(subject, (int)Math.Ceiling((until.ToUniversalTime() - clock.GetUtcNow().UtcDateTime).TotalSeconds));
        }
    }

    /// <summary>Remembers that a limit is reached.</summary>
    internal void Add(LimitSubject subject, int seconds)
    {
        if (_until.Count >= options.Value.MaxRememberedLimits && !_until.ContainsKey(subject))
        {
            Sweep();
            if (_until.Count >= options.Value.MaxRememberedLimits)
            {
                // Then the database is asked for each of its requests, as for everybody.
                return;
            }
        }
        _until[subject] = Now + seconds;
    }

    /// <summary>A refusal as the database would have raised it.</summary>
    public static ApiException Refusal(int limit, string scope, int retryAfterSeconds) =>
        new(
            ErrorCodes.RateLimited,
            new
            {
                limit,
                scope,
                retry_after_seconds = retryAfterSeconds,
            }
        );

    private long Now => clock.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>Forgets what is over; now and then only, since a full memory would be walked through for each refusal.</summary>
    private void Sweep()
    {
        lock (_sweeping)
        {
            if (_swept is { } last && clock.GetElapsedTime(last) < SweepPause)
            {
                return;
            }
            _swept = clock.GetTimestamp();
            var now = Now;
            foreach (var (subject, until) in _until)
            {
                if (until <= now)
                {
                    _until.TryRemove(subject, out _);
                }
            }
        }
    }
}

/// <summary>An error as the answer of an endpoint: nothing is thrown, which in a flood would cost more than everything else.</summary>
/// <param name="error">What is answered.</param>
public sealed class ErrorResponse(ApiException error) : IResult
{
    /// <summary>What is answered.</summary>
    public ApiException Error => error;

    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext) => httpContext.RequestServices.GetRequiredService<ErrorWriter>().WriteAsync(httpContext, error);
}
