using System.Collections.Concurrent;
using System.Net;

namespace Reelbase.Server.Platform.Http;

/// <summary>What was last heard from an outside system, and when.</summary>
public sealed record SystemHealth(string System, DateTime? LastSuccessAt, DateTime? LastFailureAt, string? LastFailure)
{
    /// <summary>Whether the last word was a good one; null when there was none.</summary>
    public bool? IsWell =>
        LastSuccessAt is null && LastFailureAt is null ? null
        : LastFailureAt is null ? true
        : LastSuccessAt >= LastFailureAt;

    /// <summary>The later words of two listeners.</summary>
    public SystemHealth Merge(SystemHealth other) =>
        new(
            System,
            Later(LastSuccessAt, other.LastSuccessAt),
            Later(LastFailureAt, other.LastFailureAt),
            (other.LastFailureAt ?? DateTime.MinValue) > (LastFailureAt ?? DateTime.MinValue) ? other.LastFailure : LastFailure
        );

    private static DateTime? Later(DateTime? one, DateTime? other) =>
        one is null ? other
        : other is null ? one
        : one > other ? one
        : other;
}

/// <summary>
/// Remembers for each outside system when it last answered and when and how it last failed: a key that Apple refuses shows in no request of a
/// phone. Clients report by <see cref="OutsideHandler"/>, so that none can forget to.
/// </summary>
public sealed class OutsideSystems(TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, SystemHealth> _words = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, SystemHealth> _news = new(StringComparer.Ordinal);

    /// <summary>It answered.</summary>
    public void Heard(string system) => Note(new(system, clock.GetUtcNow().UtcDateTime, null, null));

    /// <summary>It did not answer, or refused us.</summary>
    public void Failed(string system, string words) => Note(new(system, null, clock.GetUtcNow().UtcDateTime, words));

    /// <summary>What this process heard of a system.</summary>
    public SystemHealth Find(string system) => _words.GetValueOrDefault(system) ?? new(system, null, null, null);

    /// <summary>What was heard since the last time this was asked.</summary>
    public IReadOnlyList<SystemHealth> TakeNews() =>
        [.. _news.Keys.Select(system => _news.TryRemove(system, out var word) ? word : null).OfType<SystemHealth>()];

    /// <summary>News that could not be passed on.</summary>
    public void PutBack(IEnumerable<SystemHealth> news)
    {
        foreach (var word in news)
        {
            _news.AddOrUpdate(word.System, word, (_, later) => word.Merge(later));
        }
    }

    /// <summary>What an answer's status says of its sender: null when it is well.</summary>
    public static string? Fault(HttpStatusCode status) => (int)status is 401 or 403 or 408 or 429 or >= 500 ? $"answered {(int)status}" : null;

    private void Note(SystemHealth word)
    {
        _words.AddOrUpdate(word.System, word, (_, before) => before.Merge(word));
        _news.AddOrUpdate(word.System, word, (_, before) => before.Merge(word));
    }
}

/// <summary>Reports how each request to one outside system ended.</summary>
public sealed class OutsideHandler(OutsideSystems outside, string system) : DelegatingHandler
{
    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (OutsideSystems.Fault(response.StatusCode) is { } fault)
            {
                outside.Failed(system, fault);
            }
            else
            {
                outside.Heard(system);
            }
            return response;
        }
        catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException)
        {
            outside.Failed(system, error is HttpRequestException http ? http.HttpRequestError.ToString() : "no answer in time");
            throw;
        }
    }
}

/// <summary>Clients of outside systems.</summary>
public static class OutsideClients
{
    /// <summary>The largest answer of Apple or Telegram that is read; a page of twenty signed transactions is a fortieth of it.</summary>
    public const int MaxAnswerBytes = 4 * 1024 * 1024;

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Adds a named client that follows no redirect and reports how each request ended.</summary>
    /// <param name="services">The services.</param>
    /// <param name="name">The client's name.</param>
    /// <param name="system">The outside system, as health and alerts call it.</param>
    /// <param name="maxAnswerBytes">The largest answer that is read; null: whoever asks bounds it.</param>
    /// <param name="timeoutSeconds">How long a request may take; null: the framework's bound.</param>
    public static void AddOutsideClient(this IServiceCollection services, string name, string system, int? maxAnswerBytes = null, int? timeoutSeconds = null) =>
        services
            .AddHttpClient(
                name,
                client =>
                {
                    client.MaxResponseContentBufferSize = maxAnswerBytes ?? client.MaxResponseContentBufferSize;
                    client.Timeout = timeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : client.Timeout;
                }
            )
            .AddHttpMessageHandler(provider => new OutsideHandler(provider.GetRequiredService<OutsideSystems>(), system))
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = ConnectTimeout });
}
