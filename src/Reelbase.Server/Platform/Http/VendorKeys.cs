using Microsoft.IdentityModel.Tokens;

namespace Reelbase.Server.Platform.Http;

/// <summary>A vendor's keys could not be fetched: says nothing about what they should check.</summary>
public sealed class VendorKeysUnavailableException(Exception inner) : Exception("the vendor's keys could not be fetched", inner);

/// <summary>How a vendor's keys are kept.</summary>
/// <param name="Life">How long they are good without being fetched again.</param>
/// <param name="Pause">Between two fetches because none fitted.</param>
/// <param name="Timeout">How long a fetch may take.</param>
public sealed record VendorKeyRules(TimeSpan Life, TimeSpan Pause, TimeSpan Timeout);

/// <summary>
/// The keys that a vendor signs with: fetched when first asked for, kept, and fetched again when none of them fits, since vendors change keys without notice,
/// but not at everybody's word. Old keys that fit are good while the vendor is away.
/// </summary>
/// <param name="fetch">Fetches the vendor's JSON Web Key Set.</param>
/// <param name="read">What checks signatures with one of them; null for one that is of no use here.</param>
/// <param name="rules">How long they are kept.</param>
/// <param name="clock">The time.</param>
/// <param name="logger">Gets a warning for each fetch that failed.</param>
public sealed class VendorKeys<TKey>(
    Func<CancellationToken, Task<string>> fetch,
    Func<JsonWebKey, TKey?> read,
    VendorKeyRules rules,
    TimeProvider clock,
    ILogger logger
) : IDisposable
    where TKey : class
{
    private const int MaxKeys = 20;
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _one = new(1, 1);
    private volatile Kept _kept = new([], DateTimeOffset.MinValue);
    private DateTimeOffset _nextFetchAt = DateTimeOffset.MinValue;
    private Exception? _failure;

    /// <summary>The first key that fits, or null when they are as new as they may be and none does.</summary>
    /// <exception cref="VendorKeysUnavailableException">None fits and newer ones could not be fetched.</exception>
    public async Task<TKey?> FindAsync(Predicate<TKey> fits, CancellationToken cancellationToken)
    {
        if (FindGood(fits) is { } known)
        {
            return known;
        }
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (FindGood(fits) is { } meanwhile)
            {
                return meanwhile;
            }
            if (clock.GetUtcNow() >= _nextFetchAt)
            {
                await FetchAsync();
            }
            return _kept.Keys.Find(fits) ?? (_failure is null ? null : throw new VendorKeysUnavailableException(_failure));
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private TKey? FindGood(Predicate<TKey> fits) => _kept is { } kept && clock.GetUtcNow() < kept.Until ? kept.Keys.Find(fits) : null;

    // Without the caller's token: others wait for the same keys, and would find none.
    private async Task FetchAsync()
    {
        using var limit = new CancellationTokenSource(rules.Timeout);
        try
        {
            var keys = new JsonWebKeySet(await fetch(limit.Token)).Keys.Take(MaxKeys).Select(read).OfType<TKey>().ToList();
            if (keys.Count == 0)
            {
                // A vendor always has a key: whoever answers without one, a gateway for example, says nothing about those that we have.
                throw new FormatException("the answer holds no key of use");
            }
            _kept = new(keys, clock.GetUtcNow() + rules.Life);
            (_failure, _nextFetchAt) = (null, clock.GetUtcNow() + (rules.Pause < rules.Life ? rules.Pause : rules.Life));
        }
        catch (Exception error)
        {
            logger.LogWarning(error, "The keys of a vendor could not be fetched; those that are kept go on");
            (_failure, _nextFetchAt) = (error, clock.GetUtcNow() + TimeSpan.FromTicks(Math.Min(rules.Pause.Ticks, PauseAfterFailure.Ticks)));
        }
    }

    private sealed record Kept(List<TKey> Keys, DateTimeOffset Until);
}
